// Random cut forest: score and update of each record, 100 trees, sample 256, Gaussian noise, one
// thread. Leaves out decoding and SQL. `batch` 1 is a record at a time, 256 what a SQL batch gives.
//   tidemill_micro --benchmark_filter=forest
// Cost model of one point at decay 100000: trees * (depth of a descent, 12, at one 8-byte node a
// step, and 2.5, 6 or 8 boxes at 1, 8 or 32 dimensions of 8 * dimensions bytes each); at decay 2560
// a tenth of the trees also update.
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/base/random.h"
#include "operators/anomaly/random_cut_forest.h"

namespace {

using namespace tidemill;
using namespace tidemill::anomaly;

std::vector<double> noise(std::size_t count) {
    Random random(7);
    std::vector<double> values(count);
    for (double& value : values) {
        for (int i = 0; i < 12; ++i)
            value += random.unit();  // nearly Gaussian
        value -= 6;
    }
    return values;
}

void forest(benchmark::State& state) {
    ForestConfig config;
    config.columns = static_cast<std::uint32_t>(state.range(0));
    config.shingle = static_cast<std::uint32_t>(state.range(1));
    config.time_decay = static_cast<std::uint32_t>(state.range(2));
    const auto batch = static_cast<std::size_t>(state.range(3));
    constexpr std::size_t kRows = 1 << 16;
    const auto rows = noise(kRows * config.columns);
    std::vector<double> scores(kRows);
    RandomCutForest model(config);
    constexpr std::size_t kWarmUp = 24 * 1024;
    model.process({rows.data(), kWarmUp * config.columns}, {scores.data(), kWarmUp});
    std::size_t at = kWarmUp;
    for (auto _ : state) {
        if (at + batch > kRows) at = 0;
        model.process({rows.data() + at * config.columns, batch * config.columns},
                                     {scores.data(), batch});
        benchmark::DoNotOptimize(scores.data());
        at += batch;
    }
    state.SetItemsProcessed(state.iterations() * state.range(3));
}
BENCHMARK(forest)
    ->ArgNames({"columns", "shingle", "decay", "batch"})
    ->ArgsProduct({{1}, {1, 8}, {100000, 2560}, {1, 256}})
    ->ArgsProduct({{4}, {8}, {100000, 2560}, {1, 256}});

void forest_with_shares(benchmark::State& state) {
    ForestConfig config;
    config.columns = static_cast<std::uint32_t>(state.range(0));
    config.shingle = static_cast<std::uint32_t>(state.range(1));
    constexpr std::size_t kRows = 1 << 14;
    const auto rows = noise(kRows * config.columns);
    std::vector<double> scores(kRows);
    std::vector<ColumnAttribution> shares(config.columns);
    RandomCutForest model(config);
    model.process(rows, scores);
    std::size_t at = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            model.score_and_update({rows.data() + at * config.columns, config.columns}, shares));
        at = (at + 1) % kRows;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(forest_with_shares)
    ->ArgNames({"columns", "shingle"})
    ->Args({1, 1})
    ->Args({1, 8})
    ->Args({4, 8});

}  // namespace

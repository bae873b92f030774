#include "operators/anomaly/forest_bench.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <time.h>

#include "engine/base/random.h"
#include "operators/anomaly/forest_kernel.h"

namespace tidemill::anomaly {

namespace {

double seconds_of(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Box-Muller.
double gaussian(Random& random) {
    return std::sqrt(-2 * std::log(1 - random.unit())) *
           std::cos(6.283185307179586 * random.unit());
}

}  // namespace

ForestBenchResult run_forest_bench(const ForestConfig& config, std::uint64_t points,
                                   std::uint32_t batch, bool attribution) {
    constexpr std::uint64_t kWarmUp = 25000;
    // A ring of rows, longer than what the trees remember of it.
    constexpr std::uint64_t kRing = 1 << 18;
    const std::size_t columns = config.columns;
    Random random(config.seed + 1);
    std::vector<double> rows(kRing * columns);
    for (double& value : rows)
        value = gaussian(random);
    std::vector<double> scores(batch);
    std::vector<ColumnAttribution> shares(columns);
    RandomCutForest forest(config);
    double sum = 0;
    const auto run = [&](std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t i = from; i < to;) {
            const auto at = i % kRing;
            const auto count =
                attribution ? 1 : std::min({std::uint64_t{batch}, to - i, kRing - at});
            const std::span<const double> rest(rows.data() + at * columns, count * columns);
            if (attribution)
                scores[0] = forest.score_and_update(rest, shares);
            else
                forest.process(rest, {scores.data(), count});
            for (std::uint64_t k = 0; k < count; ++k)
                sum += scores[k];
            i += count;
        }
    };
    run(0, kWarmUp);
    sum = 0;
    const double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    run(kWarmUp, kWarmUp + points);
    const double timed = static_cast<double>(points);
    return {.points_per_second = timed / (seconds_of(CLOCK_MONOTONIC) - wall),
            .points_per_cpu_second = timed / (seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu),
            .points = points,
            .warm_up_points = kWarmUp,
            .mean_score = sum / timed,
            .memory_bytes = RandomCutForest::memory_bytes(config),
            .snapshot_bytes = forest.snapshot().size(),
            .kernel = best_kernel().name};
}

}  // namespace tidemill::anomaly

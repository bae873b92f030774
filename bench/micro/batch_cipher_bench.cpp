// What sealing and opening a batch costs on one core: cipher, checksum and the key's set-up spread
// over batches; not the log, not the copy into it. A batch is `records` of `record bytes`.
#include <benchmark/benchmark.h>

#include "engine/crypto/batch_cipher.h"

namespace tidemill {
namespace {

constexpr ShardUid kShard{1};

RecordBatchBuilder batch_of(benchmark::State& state) {
    RecordBatchBuilder builder;
    const std::vector<std::byte> data(static_cast<std::size_t>(state.range(0)), std::byte{7});
    for (std::int64_t i = 0; i < state.range(1); ++i)
        builder.add("key", data);
    return builder;
}

void report(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
    state.SetItemsProcessed(state.range(1) * state.iterations());
}

void seal(benchmark::State& state) {
    auto builder = batch_of(state);
    const auto plain = builder.finish();
    BatchSealer sealer(1, Secret::random());
    std::vector<std::byte> space;
    for (auto _ : state)
        benchmark::DoNotOptimize(sealer.seal(plain, kShard, space).bytes().data());
    report(state, plain.bytes().size());
}

void unseal(benchmark::State& state) {
    auto builder = batch_of(state);
    const auto plain = builder.finish();
    const Secret key = Secret::random();
    std::vector<std::byte> space, to(plain.bytes().size());
    const auto sealed = BatchSealer(1, key).seal(plain, kShard, space);
    BatchUnsealer unsealer(key);
    for (auto _ : state)
        if (!unsealer.unseal(sealed.bytes(), kShard, to)) state.SkipWithError("does not open");
    report(state, plain.bytes().size());
}

BENCHMARK(seal)->Args({100, 1})->Args({100, 500})->Args({1024, 100});
BENCHMARK(unseal)->Args({100, 1})->Args({100, 500})->Args({1024, 100});

}  // namespace
}  // namespace tidemill

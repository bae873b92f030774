// Compresses and opens record batches of JSON readings, or of the lines of a file named by
// TIDEMILL_BENCH_LINES. What a number means: bytes of records (keys, data, lengths) per second of
// one core; `ratio` is plain batch to compressed batch, headers included. Opening includes the walk
// over all records. What it leaves out: checksums, sockets, the building of the batch.
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "engine/base/random.h"
#include "proto/batch_codec.h"

namespace tidemill {
namespace {

const Compression kCompressions[] = {
    {Codec::None, 0}, {Codec::Lz4, 0}, {Codec::Zstd, 1}, {Codec::Zstd, 3}, {Codec::Zstd, 9}};

std::vector<std::string> lines() {
    std::vector<std::string> all;
    if (const char* path = std::getenv("TIDEMILL_BENCH_LINES")) {
        std::ifstream in(path);
        for (std::string line; std::getline(in, line);)
            all.push_back(line);
    }
    if (!all.empty()) return all;
    Random random(1);
    for (int i = 0; i < 20'000; ++i)
        all.push_back(fmt::format(
            R"({{"device":"d-{:04}","time":"2024-05-01T{:02}:{:02}:{:02}Z","temperature":{:.2f},"pressure":{},"state":"{}"}})",
            random.below(2000), i / 3600 % 24, i / 60 % 60, i % 60,
            static_cast<double>(random.below(4000)) / 100, 95'000 + random.below(10'000),
            random.chance(0.9) ? "ok" : "degraded"));
    return all;
}

// About `bytes` of records, each of its own place in the data.
RecordBatchBuilder batch_of(std::size_t bytes) {
    static const std::vector<std::string> all = lines();
    RecordBatchBuilder builder;
    for (std::size_t i = 0; builder.bytes() < bytes; ++i)
        builder.add(fmt::format("k{:03}", i * 7919 % 1000), as_bytes(all[i % all.size()]));
    return builder;
}

void label(benchmark::State& state, const Compression& compression, const RecordBatchView& plain,
           const RecordBatchView& packed) {
    const auto size = [](const RecordBatchView& view) {
        return static_cast<double>(view.bytes().size());
    };
    state.SetLabel(to_string(compression));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                            static_cast<std::int64_t>(plain.bytes().size()));
    state.counters["ratio"] = size(plain) / size(packed);
    state.counters["records"] = plain.record_count();
}

// Arguments: which compression, bytes of a batch.
void compress_batch(benchmark::State& state) {
    const Compression compression = kCompressions[state.range(0)];
    auto builder = batch_of(static_cast<std::size_t>(state.range(1)));
    const auto plain = builder.finish();
    BatchCompressor compressor(compression);
    std::vector<std::byte> to;
    RecordBatchView packed;
    for (auto _ : state)
        benchmark::DoNotOptimize(packed = compressor.compress(plain, to));
    label(state, compression, plain, packed);
}

void open_batch(benchmark::State& state) {
    const Compression compression = kCompressions[state.range(0)];
    auto builder = batch_of(static_cast<std::size_t>(state.range(1)));
    const auto plain = builder.finish();
    std::vector<std::byte> to;
    const auto packed = BatchCompressor(compression).compress(plain, to);
    BatchOpener opener;
    for (auto _ : state) {
        std::size_t bytes = 0;
        RecordCursor cursor = opener.open(packed);
        for (RecordView record; cursor.next(record);)
            bytes += record.data.size();
        if (!cursor.status()) state.SkipWithError("the batch does not open");
        benchmark::DoNotOptimize(bytes);
    }
    label(state, compression, plain, packed);
}

BENCHMARK(compress_batch)->ArgsProduct({{1, 2, 3, 4}, {16 << 10, 256 << 10}});
BENCHMARK(open_batch)->ArgsProduct({{0, 1, 2, 3, 4}, {16 << 10, 256 << 10}});

}  // namespace
}  // namespace tidemill

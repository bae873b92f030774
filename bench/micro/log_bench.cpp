// Appends straight into the log on a real disk, without network, and reads at its tip: batches of
// 500 records of 100 B over 8 shards, two cores, durability disk. What a number means: records
// acknowledged as durable per second of wall time, segment making included. What it leaves out:
// sockets, parsing, the payload checksum at the door.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include "engine/log/local_log_store.h"
#include "engine/reactor/call_on.h"

namespace tidemill {
namespace {

struct BenchLog {
    explicit BenchLog(std::uint32_t cores, LogDurability durability) {
        directory = std::filesystem::current_path() / fmt::format("log_bench.{}", ::getpid());
        std::filesystem::create_directories(directory);
        ReactorConfig reactor;
        reactor.data_directory = directory.string();
        group = std::move(*ReactorGroup::start(cores, reactor));
        LogConfig config;
        config.durability = durability;
        store = std::make_unique<LocalLogStore>(*group, config);
        opened = run_on(group->at(CoreId{0}), [this] { return store->open(); });
        std::vector<std::pair<ShardUid, ShardPolicy>> policies;
        // A short retention, so that the bench's segments are used again as they are in a log that
        // runs.
        for (std::uint32_t shard = 0; shard < 8; ++shard)
            policies.emplace_back(ShardUid{shard}, ShardPolicy{.retention = 1s});
        if (opened)
            opened =
                run_on(group->at(CoreId{0}), [&] { return store->configure_shards(policies); });
    }
    ~BenchLog() {
        run_on(group->at(CoreId{0}), [this] { return store->stop(); });
        store.reset();
        group->stop();
        group.reset();
        std::filesystem::remove_all(directory);
    }

    std::filesystem::path directory;
    std::unique_ptr<ReactorGroup> group;
    std::unique_ptr<LocalLogStore> store;
    Status opened;
};

/// Keeps `window` batches of one shard in flight on its core until told to stop.
struct Pump {
    struct Slot : AppendOp {
        Pump* pump = nullptr;
    };
    std::unique_ptr<ShardWriter> writer;
    std::vector<Slot> slots;
    RecordBatchBuilder builder;
    std::atomic<bool> stopping{false};
    std::atomic<std::uint64_t> records{0};
    std::atomic<std::size_t> in_flight{0};
    std::atomic<std::uint64_t> failed{0};

    void start(LocalLogStore& store, ShardUid shard, std::size_t window, std::uint32_t records_each,
               std::size_t record_bytes) {
        writer = std::move(*store.open_writer(shard, {}));
        const std::string data(record_bytes, 'x');
        for (std::uint32_t i = 0; i < records_each; ++i)
            builder.add("", as_bytes(data));
        const auto batch = builder.finish();
        slots = std::vector<Slot>(window);
        in_flight = window;
        for (auto& slot : slots) {
            slot.pump = this;
            slot.shard = shard;
            slot.batch = batch;
            slot.done = [](AppendOp& op) noexcept {
                auto& self = static_cast<Slot&>(op);
                auto& pump = *self.pump;
                if (op.result.outcome == Outcome::Committed)
                    pump.records.fetch_add(op.batch.record_count(), std::memory_order_relaxed);
                else
                    pump.failed.fetch_add(1, std::memory_order_relaxed);
                if (pump.stopping.load(std::memory_order_relaxed))
                    pump.in_flight.fetch_sub(1);
                else
                    pump.writer->submit(op);
            };
            writer->submit(slot);
        }
    }
};

void append(benchmark::State& state, std::uint32_t records_each, std::size_t record_bytes,
            LogDurability durability) {
    const auto cores = static_cast<std::uint32_t>(state.range(0));
    const auto window = static_cast<std::size_t>(state.range(1));
    BenchLog log(cores, durability);
    if (!log.opened) {
        state.SkipWithError(log.opened.error().to_string().c_str());
        return;
    }
    std::vector<std::unique_ptr<Pump>> pumps;
    for (std::uint32_t shard = 0; shard < 8; ++shard) {
        pumps.push_back(std::make_unique<Pump>());
        auto& pump = *pumps.back();
        log.group->at(log.store->core_of(ShardUid{shard})).post([&, shard] {
            pump.start(*log.store, ShardUid{shard}, window, records_each, record_bytes);
        });
    }
    const auto total = [&] {
        std::uint64_t sum = 0;
        for (const auto& pump : pumps)
            sum += pump->records.load(std::memory_order_relaxed);
        return sum;
    };
    std::uint64_t before = total();
    for (auto _ : state) {
        const std::uint64_t goal = before + 8ull * records_each * 16;
        while (total() < goal)
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        before = total();
    }
    const std::uint64_t records = before;
    for (auto& pump : pumps)
        pump->stopping = true;
    for (auto& pump : pumps)
        while (pump->in_flight.load() > 0)
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
    for (auto& pump : pumps)
        log.group->at(log.store->core_of(pump->slots[0].shard)).post([&pump] {
            pump->writer.reset();
        });
    const auto stats = run_on(log.group->at(CoreId{0}), [&] { return log.store->stats(); });
    std::uint64_t failed = 0;
    for (const auto& pump : pumps)
        failed += pump->failed.load();
    state.counters["records"] =
        benchmark::Counter(static_cast<double>(records), benchmark::Counter::kIsRate);
    state.counters["bytes"] =
        benchmark::Counter(static_cast<double>(records) * static_cast<double>(record_bytes),
                           benchmark::Counter::kIsRate);
    state.counters["failed"] = static_cast<double>(failed);
    state.counters["commit_KiB_p50"] =
        static_cast<double>(stats[0].commit_bytes.quantile(0.5)) / 1024;
    state.counters["write_us_p50"] = static_cast<double>(stats[0].write_micros.quantile(0.5));
    state.counters["write_us_p99"] = static_cast<double>(stats[0].write_micros.quantile(0.99));
}

}  // namespace

BENCHMARK_CAPTURE(append, log_100B_x500_durable, 500, 100, LogDurability::Disk)
    ->ArgNames({"cores", "window"})
    ->Args({1, 8})
    ->Args({2, 8})
    ->Args({2, 32})
    ->UseRealTime();
BENCHMARK_CAPTURE(append, log_100B_x1_durable, 1, 100, LogDurability::Disk)
    ->ArgNames({"cores", "window"})
    ->Args({2, 1})
    ->Args({2, 64})
    ->UseRealTime();

}  // namespace tidemill

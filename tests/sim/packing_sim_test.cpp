// Packing on a simulated disk, with power lost at every call of it.
#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/log/local_log_store.h"
#include "engine/log/verify.h"
#include "engine/reactor/test_reactor.h"

using namespace tidemill;

namespace {

constexpr std::uint32_t kShards = 2;
constexpr Ordinal kRecords = 250;  // of each

std::string text_of(std::uint32_t shard, Ordinal ordinal) {
    return fmt::format("{}/{}/{}", shard, ordinal, std::string(60 + ordinal % 50, 'p'));
}

struct Process {
    explicit Process(std::shared_ptr<SimStorage> storage, std::uint64_t seed)
        : reactor(std::move(storage)) {
        LogConfig config;
        config.lane_count = 1;
        config.first_segment_bytes = config.segment_bytes = 1_MiB;
        config.tail_cache_bytes = 64_KiB;
        config.seed = seed;
        store = std::make_unique<LocalLogStore>(std::vector<Reactor*>{&reactor}, config);
        REQUIRE(reactor.run(store->open()).has_value());
        for (std::uint32_t shard = 1; shard <= kShards; ++shard)
            (void)reactor.run(store->configure_shard(ShardUid{shard}, {}));
    }
    TestReactor reactor;
    std::unique_ptr<LocalLogStore> store;
};

}  // namespace

TEST_CASE("power lost at any call of packing leaves the old segment or the packed one") {
    constexpr std::uint64_t kCallsMax = 1000;
    int packed = 0, untouched = 0;
    bool is_lost = true;
    for (std::uint64_t calls = 0; is_lost && calls < kCallsMax; ++calls) {
        CAPTURE(calls);
        auto storage = std::make_shared<SimStorage>(calls + 1);
        std::int64_t arrivals[kShards + 1][kRecords] = {};
        WallTime now{};
        {
            Process process(storage, calls + 3);
            for (Ordinal at = 0; at < kRecords; ++at) {
                for (std::uint32_t shard = 1; shard <= kShards; ++shard) {
                    std::unique_ptr<ShardWriter> writer;
                    process.reactor.run_in_turn(
                        [&] { writer = *process.store->open_writer(ShardUid{shard}, {}); });
                    RecordBatchBuilder builder;
                    builder.add("key", as_bytes(text_of(shard, at)));
                    const auto result = process.reactor.run(writer->append(builder.finish()));
                    process.reactor.run_in_turn([&] { writer.reset(); });
                    REQUIRE_EQ(result.outcome, Outcome::Committed);
                    arrivals[shard][at] = to_millis(result.arrival);
                }
                process.reactor.advance(std::chrono::milliseconds(at % 90));
            }
            now = process.reactor.clock().wall_now();
            process.reactor.run(process.store->stop());
        }
        {
            Process process(storage, calls + 4);
            process.reactor.clock().set_wall(now);
            storage->crash_after(calls);
            for (int i = 0; i < 10 && !process.reactor.disk().is_lost(); ++i)
                process.reactor.advance(1s);
            is_lost = process.reactor.disk().is_lost();
            storage->crash_after(UINT64_MAX);
            process.reactor.run(process.store->stop());
        }
        {
            TestReactor reactor(storage);
            const auto report = reactor.run(verify_log(reactor.disk(), "log"));
            REQUIRE(report.has_value());
            REQUIRE_MESSAGE(report->is_sound(), to_text(*report));
            const bool has_new = std::ranges::any_of(
                report->lanes[0].segments,
                [](const auto& segment) { return segment.is_live && segment.is_packed; });
            ++(has_new ? packed : untouched);
        }
        Process process(storage, calls + 5);
        process.reactor.clock().set_wall(now);
        for (std::uint32_t shard = 1; shard <= kShards; ++shard) {
            Ordinal at = 0;
            while (at < kRecords) {
                const auto read = process.reactor.run(process.store->read(ShardUid{shard}, at, {}));
                REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().to_string()));
                REQUIRE_FALSE(read->batches.empty());
                for (const auto& slice : read->batches) {
                    const auto batch = RecordBatchView::parse_stamped(slice.bytes);
                    REQUIRE((batch && batch->payload_is_intact()));
                    RecordCursor cursor(*batch);
                    for (RecordView record; cursor.next(record); ++at) {
                        REQUIRE_EQ(cursor.ordinal(), at);
                        REQUIRE_EQ(as_text(record.data), text_of(shard, at));
                        REQUIRE_EQ(to_millis(cursor.arrival()), arrivals[shard][at]);
                    }
                    REQUIRE(cursor.status().has_value());
                }
            }
            REQUIRE_EQ(at, kRecords);
            REQUIRE_EQ(process.reactor.run(process.store->tail(ShardUid{shard}))->end, kRecords);
        }
        process.reactor.run(process.store->stop());
    }
    CHECK_FALSE(is_lost);  // in the end it went through
    MESSAGE(fmt::format("{} times the old segment, {} times the packed one", untouched, packed));
    CHECK_GT(untouched, 3);
    CHECK_GT(packed, 1);
}

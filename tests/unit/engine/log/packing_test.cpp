#include <doctest/doctest.h>

#include "engine/log/verify.h"
#include "proto/batch_codec.h"
#include "proto/batch_packer.h"
#include "tests/unit/engine/log/log_fixture.h"

using namespace tidemill;
using namespace tidemill::test;

namespace {

/// What was acknowledged: the arrival of each record by shard.
using Arrivals = std::map<std::uint32_t, std::vector<std::int64_t>>;

LogConfig packing_log() {
    auto config = small_log();
    config.idle_after = 10s;
    config.tail_cache_bytes = 256_KiB;
    return config;
}

void append_one(LogProcess& process, Arrivals& arrivals, std::uint32_t shard,
                std::size_t bytes = 100, std::uint32_t count = 1) {
    const auto result = process.append(shard, count, bytes);
    REQUIRE_EQ(result.outcome, Outcome::Committed);
    for (std::uint32_t i = 0; i < count; ++i)
        arrivals[shard].push_back(to_millis(result.arrival));
}

/// Lone records of three shards, `every` apart.
void fill_slowly(LogProcess& process, Arrivals& arrivals, int rounds,
                 std::chrono::milliseconds every) {
    for (int i = 0; i < rounds; ++i) {
        append_one(process, arrivals, 1);
        if (i % 2 == 0) append_one(process, arrivals, 2, 40);
        if (i % 7 == 0) append_one(process, arrivals, 3, 300);
        process.reactor.advance(every);
    }
}

/// Every record from `from` on with its text and its own arrival; returns how many batches.
std::size_t check_records(LogProcess& process, const Arrivals& arrivals, std::uint32_t shard,
                          Ordinal from = 0, std::size_t read_bytes = 100'000) {
    const auto& wanted = arrivals.at(shard);
    std::size_t batches = 0;
    while (from < wanted.size()) {
        const auto read = process.read(shard, from, {.bytes = read_bytes});
        REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().to_string()));
        REQUIRE_FALSE(read->batches.empty());
        for (const auto& slice : read->batches) {
            const auto batch = RecordBatchView::parse_stamped(slice.bytes);
            REQUIRE((batch && batch->payload_is_intact()));
            ++batches;
            RecordCursor cursor(*batch);
            for (RecordView record; cursor.next(record);) {
                REQUIRE_EQ(to_millis(cursor.arrival()), wanted.at(cursor.ordinal()));
                REQUIRE_EQ(as_text(record.data),
                           record_text(ShardUid{shard}, cursor.ordinal(), record.data.size()));
                if (cursor.ordinal() < from) continue;
                REQUIRE_EQ(cursor.ordinal(), from);
                ++from;
            }
            REQUIRE(cursor.status().has_value());
        }
        REQUIRE_EQ(read->next, from);
    }
    REQUIRE_EQ(from, wanted.size());
    return batches;
}

void check_times(LogProcess& process, const Arrivals& arrivals, std::uint32_t shard) {
    const auto& wanted = arrivals.at(shard);
    for (std::size_t i = 0; i < wanted.size(); i += 7)
        for (const std::int64_t at : {wanted[i] - 1, wanted[i], wanted[i] + 1}) {
            const auto first =
                static_cast<Ordinal>(std::ranges::lower_bound(wanted, at) - wanted.begin());
            const auto found =
                process.reactor.run(process.store->seek_time(ShardUid{shard}, from_millis(at)));
            REQUIRE_EQ(found.value_or(UINT64_MAX), first);
        }
}

LogReport report_of(const std::shared_ptr<SimStorage>& storage) {
    TestReactor reactor(storage);
    auto report = reactor.run(verify_log(reactor.disk(), "log"));
    REQUIRE(report.has_value());
    CHECK_MESSAGE(report->is_sound(), to_text(*report));
    return *std::move(report);
}

std::uint64_t bytes_used(const LogReport& report) {
    std::uint64_t bytes = 0;
    for (const auto& segment : report.lanes[0].segments)
        if (segment.is_live && segment.commits > 0)
            bytes += segment.end_position - segment.header.first_position;
    return bytes;
}

void set_wall(LogProcess& process, std::int64_t ms) {
    process.reactor.clock().jump_wall(std::chrono::milliseconds(ms) -
                                      process.reactor.clock().wall_now().time_since_epoch());
}

}  // namespace

TEST_SUITE("log/packing") {
    TEST_CASE("lone records are packed after the next start; all of them stay what they were") {
        auto storage = std::make_shared<SimStorage>(1);
        Arrivals arrivals;
        std::int64_t now = 0;
        {
            auto config = packing_log();
            config.packs = false;
            LogProcess process(storage, config);
            fill_slowly(process, arrivals, 3000, 41ms);
            now = to_millis(process.reactor.clock().wall_now());
        }
        const auto before = report_of(storage);
        std::uint64_t payload = 0;
        for (const auto& [shard, of] : arrivals)
            payload += of.size() * (shard == 1 ? 100 : shard == 2 ? 40 : 300);
        {
            LogProcess process(storage, packing_log());
            set_wall(process, now);
            CHECK_GT(process.stats().segments_to_pack, 0);
            process.reactor.advance(30s);
            const auto stats = process.stats();
            CHECK_EQ(stats.segments_to_pack, 0);
            CHECK_GT(stats.segments_packed, 0);
            CHECK_GT(stats.packed_batches, 4000);
            for (std::uint32_t shard = 1; shard <= 3; ++shard) {
                CHECK_LT(check_records(process, arrivals, shard), arrivals[shard].size() / 20);
                check_records(process, arrivals, shard, 17, 1);
                check_times(process, arrivals, shard);
            }
            // And the log goes on.
            process.next = {{1, arrivals[1].size()}, {2, arrivals[2].size()}};
            append_one(process, arrivals, 1);
            append_one(process, arrivals, 2, 40);
            check_records(process, arrivals, 1, arrivals[1].size() - 40);
            check_times(process, arrivals, 2);
            now = to_millis(process.reactor.clock().wall_now());
        }
        const auto after = report_of(storage);
        CHECK_LT(bytes_used(after), bytes_used(before) / 2);
        CHECK_LT(bytes_used(after), payload * 12 / 10);
        LogProcess again(storage, packing_log());
        set_wall(again, now);
        again.reactor.advance(30s);
        CHECK_EQ(again.stats().segments_packed, 0);  // once is enough
        for (std::uint32_t shard = 1; shard <= 3; ++shard) {
            check_records(again, arrivals, shard);
            check_times(again, arrivals, shard);
        }
        CHECK(again.reports.empty());
    }

    TEST_CASE(
        "records expire one by one inside a packed batch, and its segment goes with the last") {
        auto storage = std::make_shared<SimStorage>(1);
        Arrivals arrivals;
        LogConfig config = packing_log();
        config.rewrite_gain_min = 1_MiB;
        std::int64_t now = 0;
        {
            LogProcess process(storage, config);
            for (std::uint32_t shard = 1; shard <= 3; ++shard)
                process.configure(shard, {.retention = 1000h});
            fill_slowly(process, arrivals, 600, 1min);  // ten hours
            now = to_millis(process.reactor.clock().wall_now());
        }
        LogProcess process(storage, config);
        set_wall(process, now);
        for (std::uint32_t shard = 1; shard <= 3; ++shard)
            process.configure(shard, {.retention = 1000h});
        process.reactor.advance(30s);
        REQUIRE_GT(process.stats().segments_packed, 0);
        process.configure(1, {.retention = 5h});
        const auto& of = arrivals[1];
        for (int i = 0; i < 40; ++i) {
            const auto wall = to_millis(process.reactor.clock().wall_now());
            const auto kept = static_cast<Ordinal>(
                std::ranges::lower_bound(of, wall - 5 * 3'600'000) - of.begin());
            CHECK_EQ(process.tail(1)->trim, kept);
            const auto read = process.read(1, 0);
            REQUIRE(read.has_value());
            if (kept == of.size()) {
                CHECK(read->batches.empty());
                break;
            }
            // What has expired is not served, though it stands in the same batch on disk.
            const auto batch = RecordBatchView::parse_stamped(read->batches.at(0).bytes);
            REQUIRE((batch && batch->payload_is_intact()));
            CHECK_EQ(batch->first_ordinal(), kept);
            CHECK_EQ(to_millis(batch->arrival()), of[kept]);
            check_records(process, arrivals, 1, kept);
            process.reactor.advance(8min + 31s);
        }
        CHECK_EQ(process.tail(1)->trim, of.size());
        check_records(process, arrivals, 2);
        check_records(process, arrivals, 3);
    }

    TEST_CASE("a start that must scan packed segments finds every end, and forgets producers") {
        auto storage = std::make_shared<SimStorage>(1);
        Arrivals arrivals;
        std::int64_t now = 0;
        const auto produced = [](Ordinal first, std::uint32_t sequence) {
            RecordBatchBuilder builder;
            builder.add("key", as_bytes(record_text(ShardUid{1}, first, 100)));
            const auto view = builder.finish(77, sequence);
            return std::vector<std::byte>(view.bytes().begin(), view.bytes().end());
        };
        const auto send = [](LogProcess& process, const std::vector<std::byte>& bytes) {
            return process.reactor.run(process.writer(1).append(*RecordBatchView::parse(bytes)));
        };
        constexpr Ordinal kRecords = 1500;
        {
            LogProcess process(storage, packing_log());
            for (Ordinal i = 0; i < kRecords; ++i) {
                const auto result = send(process, produced(i, static_cast<std::uint32_t>(i)));
                REQUIRE_EQ(result.outcome, Outcome::Committed);
                arrivals[1].push_back(to_millis(result.arrival));
                process.reactor.advance(100ms);
            }
            now = to_millis(process.reactor.clock().wall_now());
        }
        {
            LogProcess process(storage, packing_log());
            set_wall(process, now);
            process.reactor.advance(30s);
            REQUIRE_GT(process.stats().segments_packed, 0);
            // The table of producers has come through the packing.
            const auto again = send(process, produced(kRecords - 1, kRecords - 1));
            CHECK(again.is_duplicate);
            CHECK_EQ(to_millis(again.arrival), arrivals[1].back());
        }
        for (const auto& segment : report_of(storage).lanes[0].segments)
            for (const std::uint64_t at : {4096u + 20, 4096u + 2048 + 20})
                storage->flip_bit(segment.file, at, 0);
        LogProcess process(storage, packing_log());
        set_wall(process, now);
        REQUIRE(process.opened.has_value());
        CHECK_EQ(process.tail(1)->end, kRecords);
        CHECK_EQ(to_millis(process.tail(1)->last_arrival), arrivals[1].back());
        check_records(process, arrivals, 1);
        check_times(process, arrivals, 1);
        // What it had sent is not known any more: it is new, and goes on where it likes.
        CHECK_EQ(process.stats().producers, 0);
        const auto next = send(process, produced(kRecords, kRecords + 5));
        CHECK_EQ(next.outcome, Outcome::Committed);
        CHECK_EQ(next.first_ordinal, kRecords);
    }

    TEST_CASE("full batches are never touched; among small ones compressed ones stay as they are") {
        auto storage = std::make_shared<SimStorage>(1);
        std::vector<std::byte> compressed;
        {
            LogProcess process(storage, packing_log());
            for (int i = 0; i < 100; ++i)
                REQUIRE_EQ(process.append(1, 500, 100).outcome, Outcome::Committed);
        }
        Arrivals arrivals;
        {
            LogProcess process(storage, packing_log());
            process.reactor.advance(30s);
            const auto stats = process.stats();
            CHECK_EQ(stats.segments_to_pack, 0);
            CHECK_EQ(stats.segments_rewritten, 0);
            RecordBatchBuilder builder;
            builder.add("key", as_bytes(std::string(600, 'c')));
            std::vector<std::byte> to;
            const Bytes bytes =
                BatchCompressor({Codec::Lz4, 0}).compress(builder.finish(), to).bytes();
            compressed.assign(bytes.begin(), bytes.end());
            for (int i = 0; i < 1000; ++i) {
                append_one(process, arrivals, 2);
                if (i % 100 == 50)
                    REQUIRE_EQ(process.reactor
                                   .run(process.writer(3).append(*RecordBatchView::parse(bytes)))
                                   .outcome,
                               Outcome::Committed);
                process.reactor.advance(20ms);
            }
        }
        LogProcess process(storage, packing_log());
        process.reactor.advance(30s);
        CHECK_EQ(process.stats().segments_packed, 1);
        check_records(process, arrivals, 2);
        CHECK_EQ(process.verify(1).value_or(0), 50'000);
        std::uint64_t seen = 0;
        for (Ordinal at = 0; at < 10;) {
            const auto read = process.read(3, at);
            REQUIRE((read && !read->batches.empty()));
            for (const auto& slice : read->batches) {
                const Bytes payload = slice.bytes.subspan(sizeof(RecordBatchHeader));
                CHECK_EQ(as_text(payload),
                         as_text(Bytes{compressed}.subspan(sizeof(RecordBatchHeader))));
                ++seen;
            }
            at = read->next;
        }
        CHECK_EQ(seen, 10);
    }

    TEST_CASE("a stop ends packing at once, and the next start packs; switched off, nothing does") {
        auto storage = std::make_shared<SimStorage>(1);
        Arrivals arrivals;
        {
            LogProcess process(storage, packing_log());
            fill_slowly(process, arrivals, 2500, 1ms);
        }
        {
            auto config = packing_log();
            config.packs = false;
            LogProcess process(storage, config);
            process.reactor.advance(30s);
            CHECK_EQ(process.stats().segments_to_pack, 0);
            CHECK_EQ(process.stats().segments_packed, 0);
        }
        {
            auto config = packing_log();
            config.rewrite_bytes_per_second = 50'000;
            LogProcess process(storage, config);
            process.reactor.advance(5s);
            CHECK_GT(process.stats().segments_to_pack, 0);
            CHECK_EQ(process.stats().segments_packed, 0);
        }
        report_of(storage);
        LogProcess process(storage, packing_log());
        process.reactor.advance(30s);
        CHECK_GT(process.stats().segments_packed, 0);
        for (std::uint32_t shard = 1; shard <= 3; ++shard)
            check_records(process, arrivals, shard);
    }
}

#include <doctest/doctest.h>

#include "tests/unit/engine/log/log_fixture.h"

using namespace tidemill;
using namespace tidemill::test;

TEST_SUITE("log/lane") {
    TEST_CASE("a record is read back as it was written, at the tip and after a restart") {
        auto storage = std::make_shared<SimStorage>(1);
        {
            LogProcess process(storage);
            REQUIRE(process.opened.has_value());
            const auto first = process.append(1);
            REQUIRE_EQ(first.outcome, Outcome::Committed);
            CHECK_EQ(first.first_ordinal, 0);
            CHECK_EQ(process.append(1, 10).first_ordinal, 1);
            CHECK_EQ(process.append(2, 3).first_ordinal, 0);
            CHECK_EQ(process.verify(1).value_or(99), 11);
            CHECK_EQ(process.verify(1, 5).value_or(99), 11);
            CHECK_EQ(process.verify(2).value_or(99), 3);
            CHECK_EQ(process.verify(3).value_or(99), 0);
            CHECK_EQ(process.tail(1)->end, 11);
        }
        LogProcess again(storage);
        REQUIRE(again.opened.has_value());
        CHECK(again.reports.empty());
        CHECK_EQ(again.tail(1)->end, 11);
        const auto read_back = again.verify(1);
        REQUIRE_MESSAGE(read_back.has_value(), (read_back ? "" : read_back.error().to_string()));
        CHECK_EQ(*read_back, 11);
        again.next[1] = 11;
        CHECK_EQ(again.append(1).first_ordinal, 11);
        CHECK_EQ(again.verify(1).value_or(99), 12);
        CHECK_EQ(again.verify(2).value_or(99), 3);
    }

    TEST_CASE("appends of one turn share one write and end in order") {
        LogProcess process(std::make_shared<SimStorage>(1));
        std::vector<std::unique_ptr<TestAppend>> appends;
        auto& writer = process.writer(1);
        process.append(1);
        const auto before = process.stats().commits;
        process.reactor.run_in_turn([&] {
            for (Ordinal i = 1; i <= 50; ++i) {
                appends.push_back(
                    std::make_unique<TestAppend>(ShardUid{1}, make_batch(ShardUid{1}, i, 1, 50)));
                writer.submit(*appends.back());
                CHECK_FALSE(appends.back()->is_done);
            }
        });
        for (Ordinal i = 1; i <= 50; ++i) {
            CHECK(appends[i - 1]->is_done);
            CHECK_EQ(appends[i - 1]->result.first_ordinal, i);
        }
        CHECK_EQ(process.stats().commits, before + 1);
        CHECK_EQ(process.verify(1).value_or(0), 51);
    }

    TEST_CASE("segments roll over, footers lead to old records, batches of any size are kept") {
        auto storage = std::make_shared<SimStorage>(3);
        Random random(3);
        std::map<std::uint32_t, Ordinal> ends;
        {
            LogProcess process(storage);
            for (int i = 0; i < 600; ++i) {
                const auto shard = static_cast<std::uint32_t>(1 + random.below(3));
                const auto count = static_cast<std::uint32_t>(1 + random.below(40));
                const std::size_t bytes = random.chance(0.01) ? 300'000 : 20 + random.below(1500);
                const auto result = process.append(shard, bytes > 10'000 ? 2 : count, bytes);
                REQUIRE_EQ(result.outcome, Outcome::Committed);
            }
            ends = process.next;
            CHECK_GT(process.stats().segments, 3);
            for (const auto& [shard, end] : ends) {
                const auto verified = process.verify(shard);
                REQUIRE_MESSAGE(verified.has_value(),
                                (verified ? "" : verified.error().to_string()));
                CHECK_EQ(*verified, end);
                for (int i = 0; i < 20; ++i)
                    CHECK_EQ(process.verify(shard, random.below(end)).value_or(0), end);
            }
            CHECK_GT(process.stats().disk_reads, 0);
            CHECK_GT(process.stats().tail_reads, 0);
        }
        LogProcess again(storage);
        for (const auto& [shard, end] : ends)
            CHECK_EQ(again.verify(shard).value_or(0), end);
    }

    TEST_CASE("a sparse shard is read across segments at once, a dense one as it lies") {
        constexpr std::uint32_t kRounds = 12;
        auto storage = std::make_shared<SimStorage>(1);
        {
            LogProcess process(storage);
            REQUIRE(process.opened.has_value());
            for (std::uint32_t round = 0; round < kRounds; ++round) {
                REQUIRE_EQ(process.append(1, 20).outcome, Outcome::Committed);
                for (int i = 0; i < 20; ++i)
                    REQUIRE_EQ(process.append(2, 64, 1000).outcome, Outcome::Committed);
            }
            REQUIRE_GT(process.stats().segments, 5);
        }
        LogProcess again(storage);
        REQUIRE(again.opened.has_value());
        const auto sparse = again.read(1, 5);
        REQUIRE(sparse.has_value());
        CHECK_EQ(sparse->batches.size(), kRounds);
        CHECK_EQ(sparse->next, kRounds * 20);
        CHECK_EQ(again.read(1, 0, {64_KiB, 30})->next, 40);
        CHECK_EQ(again.verify(1).value_or(0), kRounds * 20);
        const auto dense = again.read(2, 0);
        REQUIRE(dense.has_value());
        CHECK_EQ(dense->next, 64 * (1_MiB / dense->batches[0].bytes.size()));
        CHECK_EQ(again.verify(2).value_or(0), kRounds * 20 * 64);
    }

    TEST_CASE("a batch larger than a segment's first size is written and read") {
        LogProcess process(std::make_shared<SimStorage>(1));
        REQUIRE_EQ(process.append(1, 11, 1_MiB).outcome, Outcome::Committed);
        REQUIRE_EQ(process.append(1, 1, 10).outcome, Outcome::Committed);
        CHECK_EQ(process.verify(1).value_or(0), 12);
    }

    TEST_CASE("space on disk stays near the payload when single records trickle in") {
        LogProcess process(std::make_shared<SimStorage>(1));
        std::uint64_t payload = 0;
        for (int i = 0; i < 300; ++i) {
            REQUIRE_EQ(process.append(1, 1, 2000).outcome, Outcome::Committed);
            payload += 2000;
        }
        // Commits follow each other without padding: 300 of them fit where 4 KiB each would
        // take 1.2 MB.
        CHECK_EQ(process.stats().segments, 1);
        CHECK_LT(process.stats().commit_bytes.sum(), payload * 12 / 10);
        CHECK_EQ(process.verify(1).value_or(0), 300);
    }

    TEST_CASE("a reader waits for the tail to move") {
        LogProcess process(std::make_shared<SimStorage>(1));
        const auto now = process.reactor.clock().mono_now();
        const auto none = process.reactor.run(process.store->wait_tail(ShardUid{1}, 0, now + 5s));
        CHECK_EQ(none->end, 0);
        CHECK_GE(process.reactor.clock().mono_now(), now + 5s);
        process.append(1);
        CHECK_EQ(
            process.reactor.run(process.store->wait_tail(ShardUid{1}, 0, MonoTime::max()))->end, 1);
    }

    TEST_CASE("a sealed shard takes nothing more, also after a restart") {
        auto storage = std::make_shared<SimStorage>(1);
        {
            LogProcess process(storage);
            process.append(1, 3);
            const auto sealed = process.reactor.run(process.store->seal(ShardUid{1}, {}));
            REQUIRE(sealed.has_value());
            CHECK(sealed->is_sealed);
            CHECK_EQ(sealed->end, 3);
            const auto refused = process.append(1);
            CHECK_EQ(refused.outcome, Outcome::Rejected);
            CHECK_EQ(refused.error.code, Errc::ShardClosed);
            storage->crash();
        }
        LogProcess again(storage);
        CHECK(again.tail(1)->is_sealed);
        CHECK_EQ(again.append(1).error.code, Errc::ShardClosed);
        CHECK_EQ(again.verify(1).value_or(0), 3);
    }

    TEST_CASE("an older owner is fenced") {
        LogProcess process(std::make_shared<SimStorage>(1));
        auto& old = process.writer(1);
        std::unique_ptr<ShardWriter> newer;
        process.reactor.run_in_turn([&] { newer = *process.store->open_writer(ShardUid{1}, {2}); });
        const auto bytes = make_batch(ShardUid{1}, 0, 1, 10);
        const auto batch = *RecordBatchView::parse(bytes);
        CHECK_EQ(process.reactor.run(old.append(batch)).outcome, Outcome::Fenced);
        CHECK_EQ(process.reactor.run(newer->append(batch)).outcome, Outcome::Committed);
        process.reactor.run_in_turn([&] {
            CHECK_EQ(process.store->open_writer(ShardUid{1}, {1}).error().code, Errc::Fenced);
        });
    }

    TEST_CASE("expired and trimmed records are not returned, and their segments are used again") {
        auto config = small_log();
        LogProcess process(std::make_shared<SimStorage>(1), config);
        const auto fill = [&] {
            for (int i = 0; i < 120; ++i)
                REQUIRE_EQ(process.append(1, 20, 1000).outcome, Outcome::Committed);
        };
        fill();
        const Ordinal first_half = process.next[1];
        process.reactor.advance(13h);
        fill();
        CHECK_EQ(process.tail(1)->trim, 0);
        const auto segments = process.stats().segments;
        process.reactor.advance(12h);
        CHECK_EQ(process.tail(1)->trim, first_half);
        CHECK_EQ(process.read(1, 0)->batches.empty(), false);
        CHECK_EQ(
            load_le<RecordBatchHeader>(process.read(1, 0)->batches[0].bytes.data()).first_ordinal,
            first_half);
        CHECK_LT(process.stats().segments, segments);
        CHECK_GT(process.stats().segments_recycled + process.stats().segments_removed, 0);
        REQUIRE(process.reactor.run(process.store->trim(ShardUid{1}, first_half + 30)).has_value());
        CHECK_EQ(process.tail(1)->trim, first_half + 30);
        CHECK_EQ(process.verify(1, first_half + 30).value_or(0), process.next[1]);
        fill();
        fill();
        CHECK_EQ(process.verify(1, first_half + 30).value_or(0), process.next[1]);
    }

    TEST_CASE("seeking by time finds the first record that is not older") {
        auto storage = std::make_shared<SimStorage>(1);
        std::vector<std::pair<WallTime, Ordinal>> marks;
        LogProcess process(storage);
        for (int i = 0; i < 300; ++i) {
            const auto result = process.append(1, 10, 1000);
            marks.emplace_back(result.arrival, result.first_ordinal);
            process.reactor.advance(1s);
        }
        for (const auto& [time, ordinal] : marks) {
            CHECK_EQ(process.reactor.run(process.store->seek_time(ShardUid{1}, time)).value_or(1),
                     ordinal);
            if (ordinal > 0)
                CHECK_EQ(process.reactor.run(process.store->seek_time(ShardUid{1}, time - 500ms))
                             .value_or(1),
                         ordinal);
        }
        CHECK_EQ(
            process.reactor.run(process.store->seek_time(ShardUid{1}, marks.back().first + 1ms))
                .value_or(1),
            process.next[1]);
    }
}

#include <cerrno>

#include <doctest/doctest.h>

#include "tests/unit/engine/log/log_fixture.h"

using namespace tidemill;
using namespace tidemill::test;

namespace {

/// Records as the fixture writes them, by the producer.
std::vector<std::byte> produced(std::uint32_t shard, Ordinal first, std::uint32_t count,
                                std::uint64_t producer, std::uint32_t sequence,
                                std::size_t bytes = 100) {
    RecordBatchBuilder builder;
    for (std::uint32_t i = 0; i < count; ++i)
        builder.add("key", as_bytes(record_text(ShardUid{shard}, first + i, bytes)));
    const auto view = builder.finish(producer, sequence);
    return {view.bytes().begin(), view.bytes().end()};
}

AppendResult send(LogProcess& process, std::uint32_t shard, const std::vector<std::byte>& bytes) {
    return process.reactor.run(process.writer(shard).append(*RecordBatchView::parse(bytes)));
}

}  // namespace

TEST_SUITE("log/idempotence") {
    TEST_CASE("a repeated batch is stored once and answered with its first place and time") {
        LogProcess process(std::make_shared<SimStorage>(1));
        const auto first = produced(1, 0, 3, 77, 0), second = produced(1, 3, 2, 77, 3);
        const auto stored = send(process, 1, first);
        REQUIRE_EQ(stored.outcome, Outcome::Committed);
        CHECK_FALSE(stored.is_duplicate);
        REQUIRE_EQ(send(process, 1, second).first_ordinal, 3);
        process.reactor.advance(10s);
        const auto again = send(process, 1, first);
        CHECK_EQ(again.outcome, Outcome::Committed);
        CHECK(again.is_duplicate);
        CHECK_EQ(again.first_ordinal, 0);
        CHECK(again.arrival == stored.arrival);
        CHECK_EQ(send(process, 1, second).first_ordinal, 3);
        CHECK_EQ(process.tail(1)->end, 5);
        CHECK_EQ(process.verify(1).value_or(0), 5);
        CHECK_EQ(process.stats().duplicates, 2);
        CHECK_EQ(process.stats().producers, 1);
    }

    TEST_CASE("a gap, an overlap and what is too old are refused, and change nothing") {
        LogProcess process(std::make_shared<SimStorage>(1));
        REQUIRE_EQ(send(process, 1, produced(1, 0, 3, 77, 0)).outcome, Outcome::Committed);
        const auto gap = send(process, 1, produced(1, 3, 1, 77, 4));
        CHECK_EQ(gap.outcome, Outcome::Rejected);
        CHECK_EQ(gap.error.code, Errc::SequenceGap);
        CHECK_EQ(send(process, 1, produced(1, 3, 3, 77, 1)).error.code, Errc::SequenceConflict);
        CHECK_EQ(send(process, 1, produced(1, 3, 1, 77, UINT32_MAX)).error.code,
                 Errc::SequenceStale);
        CHECK_EQ(process.stats().out_of_order, 3);
        CHECK_EQ(send(process, 1, produced(1, 3, 1, 77, 3)).outcome, Outcome::Committed);
        CHECK_EQ(process.verify(1).value_or(0), 4);
    }

    TEST_CASE("producers and shards do not disturb each other, nor batches without a producer") {
        LogProcess process(std::make_shared<SimStorage>(1));
        REQUIRE_EQ(send(process, 1, produced(1, 0, 3, 77, 0)).first_ordinal, 0);
        REQUIRE_EQ(send(process, 1, produced(1, 3, 3, 78, 0)).first_ordinal, 3);
        REQUIRE_EQ(send(process, 2, produced(2, 0, 3, 77, 0)).first_ordinal, 0);
        process.next[1] = 6;
        REQUIRE_EQ(process.append(1).first_ordinal, 6);
        REQUIRE_EQ(process.append(1).first_ordinal, 7);
        REQUIRE_EQ(send(process, 1, produced(1, 8, 3, 77, 3)).first_ordinal, 8);
        CHECK_EQ(process.verify(1).value_or(0), 11);
        CHECK_EQ(process.verify(2).value_or(0), 3);
    }

    TEST_CASE("duplicates are known after a stop, after a crash, and after segments have gone by") {
        auto storage = std::make_shared<SimStorage>(4);
        Ordinal end = 0;
        std::uint32_t sequence = 0;
        AppendResult last;
        for (int life = 0; life < 6; ++life) {
            LogProcess process(storage);
            REQUIRE(process.opened.has_value());
            if (life > 0) {
                const auto again = send(process, 1, produced(1, end - 4, 4, 77, sequence - 4));
                REQUIRE_EQ(again.outcome, Outcome::Committed);
                CHECK(again.is_duplicate);
                CHECK_EQ(again.first_ordinal, last.first_ordinal);
                CHECK(again.arrival == last.arrival);
                CHECK_EQ(process.tail(1)->end, end);
                const auto position =
                    process.reactor.run(process.store->producer_position(ShardUid{1}, 77));
                CHECK_EQ(position->next_sequence, sequence);
                CHECK_EQ(position->end, end);
            }
            for (int i = 0; i < 3; ++i) {
                last = send(process, 1, produced(1, end, 4, 77, sequence));
                REQUIRE_EQ(last.outcome, Outcome::Committed);
                sequence += 4;
                end += 4;
            }
            // So much that the producer's own batches stand in segments sealed long ago.
            if (life % 3 == 1)
                for (int i = 0; i < 400; ++i)
                    REQUIRE_EQ(process.append(2, 10, 1000).outcome, Outcome::Committed);
            if (life % 2 == 0) storage->crash();
        }
        LogProcess process(storage);
        CHECK_EQ(process.verify(1).value_or(0), end);
    }

    TEST_CASE("a repetition ends with its first copy, not before it is durable") {
        auto storage = std::make_shared<SimStorage>(1);
        LogProcess process(storage);
        REQUIRE_EQ(process.append(1).outcome, Outcome::Committed);
        process.reactor.run_until_idle();
        storage->set_manual(true);
        const auto bytes = produced(1, 1, 3, 77, 0);
        TestAppend first(ShardUid{1}, bytes), open(ShardUid{1}, bytes), flying(ShardUid{1}, bytes),
            other(ShardUid{1}, produced(1, 1, 3, 77, 0, 50)),
            overlap(ShardUid{1}, produced(1, 1, 2, 77, 1));
        auto& writer = process.writer(1);
        process.reactor.run_in_turn([&] {
            writer.submit(first);
            writer.submit(open);
        });
        process.reactor.run_in_turn([&] {
            writer.submit(flying);
            writer.submit(other);
            writer.submit(overlap);
        });
        CHECK_FALSE(first.is_done);
        CHECK_FALSE(open.is_done);
        CHECK_FALSE(flying.is_done);
        CHECK_EQ(other.result.error.code, Errc::SequenceConflict);
        CHECK_EQ(overlap.result.error.code, Errc::SequenceConflict);
        storage->set_manual(false);
        while (storage->step())
            process.reactor.run_until_idle();
        for (auto* copy : {&first, &open, &flying}) {
            REQUIRE(copy->is_done);
            CHECK_EQ(copy->result.outcome, Outcome::Committed);
            CHECK_EQ(copy->result.first_ordinal, 1);
            CHECK(copy->result.arrival == first.result.arrival);
        }
        CHECK_FALSE(first.result.is_duplicate);
        CHECK(flying.result.is_duplicate);
        CHECK_EQ(process.verify(1).value_or(0), 4);
    }

    TEST_CASE("a failed write ends both copies as Unknown; the log then knows which survived") {
        int survived = 0;
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            CAPTURE(seed);
            auto storage = std::make_shared<SimStorage>(seed);
            LogProcess process(storage);
            REQUIRE_EQ(send(process, 1, produced(1, 0, 1, 77, 0)).outcome, Outcome::Committed);
            process.reactor.run_until_idle();
            storage->fail_next(SimCall::Write, EIO);
            const auto bytes = produced(1, 1, 1, 77, 1);
            TestAppend first(ShardUid{1}, bytes), copy(ShardUid{1}, bytes);
            auto& writer = process.writer(1);
            process.reactor.run_in_turn([&] {
                writer.submit(first);
                writer.submit(copy);
            });
            process.reactor.advance(1s);
            REQUIRE(first.is_done);
            REQUIRE(copy.is_done);
            CHECK_EQ(first.result.outcome, Outcome::Unknown);
            CHECK_EQ(copy.result.outcome, Outcome::Unknown);
            const bool is_there = process.tail(1)->end == 2;
            survived += is_there;
            const auto retried = send(process, 1, bytes);
            CHECK_EQ(retried.outcome, Outcome::Committed);
            CHECK_EQ(retried.is_duplicate, is_there);
            CHECK_EQ(retried.first_ordinal, 1);
            CHECK_EQ(process.verify(1).value_or(0), 2);
        }
        CHECK_GT(survived, 0);
        CHECK_LT(survived, 20);
    }

    TEST_CASE("what a crash tore off is stored by the retry; what it left is recognised") {
        int torn = 0, whole = 0;
        for (std::uint64_t seed = 1; seed <= 30; ++seed) {
            CAPTURE(seed);
            auto storage = std::make_shared<SimStorage>(seed);
            std::vector<std::vector<std::byte>> batches;
            for (std::uint32_t i = 0; i < 6; ++i)
                batches.push_back(produced(1, i * 5, 5, 77, i * 5, 2000));
            {
                LogProcess process(storage);
                REQUIRE_EQ(send(process, 1, batches[0]).outcome, Outcome::Committed);
                process.reactor.run_until_idle();
                storage->set_manual(true);
                std::vector<std::unique_ptr<TestAppend>> appends;
                for (std::size_t i = 1; i < batches.size(); ++i) {
                    appends.push_back(std::make_unique<TestAppend>(ShardUid{1}, batches[i]));
                    process.reactor.run_in_turn([&] { process.writer(1).submit(*appends.back()); });
                }
                storage->crash();
                storage->set_manual(false);
                process.stop();
            }
            LogProcess process(storage);
            const Ordinal end = process.tail(1)->end;
            (end < 30 ? torn : whole) += 1;
            for (std::size_t i = 0; i < batches.size(); ++i) {
                const auto result = send(process, 1, batches[i]);
                REQUIRE_EQ(result.outcome, Outcome::Committed);
                CHECK_EQ(result.first_ordinal, i * 5);
                CHECK_EQ(result.is_duplicate, i * 5 < end);
            }
            CHECK_EQ(process.verify(1).value_or(0), 30);
        }
        CHECK_GT(torn, 0);
    }

    TEST_CASE(
        "batches refused for want of space do not count, and a full disk answers duplicates") {
        auto config = small_log();
        auto storage = std::make_shared<SimStorage>(5);
        LogProcess process(storage, config);
        const auto stored = produced(1, 0, 5, 77, 0);
        REQUIRE_EQ(send(process, 1, stored).outcome, Outcome::Committed);
        process.reactor.run_until_idle();
        storage->set_capacity(storage->used_bytes());
        process.next[1] = 5;
        AppendResult refused;
        for (int i = 0; i < 200; ++i) {
            refused = process.append(1, 20, 1000);
            if (refused.outcome != Outcome::Committed) break;
        }
        REQUIRE_EQ(refused.error.code, Errc::NoSpace);
        process.reactor.advance(2s);
        const Ordinal end = process.tail(1)->end;
        const auto next = produced(1, end, 20, 77, 5, 1000);
        CHECK_EQ(send(process, 1, next).error.code, Errc::NoSpace);
        CHECK_EQ(send(process, 1, next).error.code, Errc::NoSpace);
        CHECK(send(process, 1, stored).is_duplicate);
        storage->set_capacity(UINT64_MAX);
        process.reactor.advance(2s);
        const auto taken = send(process, 1, next);
        CHECK_EQ(taken.outcome, Outcome::Committed);
        CHECK_FALSE(taken.is_duplicate);
        CHECK_EQ(taken.first_ordinal, end);
        CHECK_EQ(process.verify(1).value_or(0), end + 20);
    }

    TEST_CASE("a throttled batch makes those behind it wait for it") {
        auto config = small_log();
        config.pending_bytes_max = 8_KiB;
        LogProcess process(std::make_shared<SimStorage>(1), config);
        TestAppend first(ShardUid{1}, produced(1, 0, 1, 77, 0, 7000)),
            large(ShardUid{1}, produced(1, 1, 1, 77, 1, 4000)),
            small(ShardUid{1}, produced(1, 2, 1, 77, 2, 100));
        process.reactor.run_in_turn([&] {
            auto& writer = process.writer(1);
            writer.submit(first);
            writer.submit(large);
            writer.submit(small);
        });
        CHECK_EQ(first.result.outcome, Outcome::Committed);
        CHECK_EQ(large.result.error.code, Errc::Throttled);
        CHECK_EQ(small.result.error.code, Errc::SequenceGap);
        CHECK_EQ(send(process, 1, large.bytes).first_ordinal, 1);
        CHECK_EQ(send(process, 1, small.bytes).first_ordinal, 2);
    }

    TEST_CASE("a closed shard still knows what it holds, also after a restart") {
        auto storage = std::make_shared<SimStorage>(1);
        const auto stored = produced(1, 0, 5, 77, 0), late = produced(1, 5, 5, 77, 5);
        {
            LogProcess process(storage);
            REQUIRE_EQ(send(process, 1, stored).outcome, Outcome::Committed);
            REQUIRE(process.reactor.run(process.store->seal(ShardUid{1}, {})).has_value());
            CHECK(send(process, 1, stored).is_duplicate);
            CHECK_EQ(send(process, 1, late).error.code, Errc::ShardClosed);
            storage->crash();
        }
        LogProcess process(storage);
        CHECK(send(process, 1, stored).is_duplicate);
        CHECK_EQ(send(process, 1, late).error.code, Errc::ShardClosed);
        CHECK_EQ(process.tail(1)->end, 5);
    }

    TEST_CASE("trimmed batches are still recognised; a deleted shard's producers are forgotten") {
        LogProcess process(std::make_shared<SimStorage>(1));
        const auto stored = produced(1, 0, 5, 77, 0);
        REQUIRE_EQ(send(process, 1, stored).outcome, Outcome::Committed);
        REQUIRE(process.reactor.run(process.store->trim(ShardUid{1}, 5)).has_value());
        CHECK(send(process, 1, stored).is_duplicate);
        const ShardPolicy gone{.is_deleted = true};
        REQUIRE(process.reactor.run(process.store->configure_shard(ShardUid{1}, gone)).has_value());
        CHECK_EQ(process.stats().producers, 0);
    }

    TEST_CASE("a damaged table of producers in the newest seal is read from the log instead") {
        auto storage = std::make_shared<SimStorage>(1);
        const auto stored = produced(1, 0, 5, 77, 0);
        {
            LogProcess process(storage);
            REQUIRE_EQ(send(process, 1, stored).outcome, Outcome::Committed);
            for (int i = 0; i < 120; ++i)  // more than one segment
                REQUIRE_EQ(process.append(2, 20, 1000).outcome, Outcome::Committed);
        }
        const auto flip_newest = [&] {
            std::string newest;
            SegmentSeal seal{};
            for (int i = 1; i < 20; ++i) {
                const auto name = fmt::format("log/lane-0000/file-{:06}", i);
                const auto bytes = storage->contents(name);
                if (!bytes || bytes->size() < kSegmentDataStart) continue;
                const auto found =
                    read_block<SegmentSeal>(Bytes(*bytes).subspan(kBlockBytes, kBlockBytes));
                if (!found || found->number <= seal.number) continue;
                seal = *found;
                newest = name;
            }
            REQUIRE_GT(seal.number, 1);
            REQUIRE_EQ(seal.producers_count, 1);
            storage->flip_bit(newest, seal.producers_position + 9, 3);
        };
        flip_newest();
        LogProcess process(storage);
        REQUIRE(process.opened.has_value());
        CHECK_EQ(process.reports.size(), 1);
        CHECK(send(process, 1, stored).is_duplicate);
        CHECK_EQ(process.verify(1).value_or(0), 5);
    }

    TEST_CASE("at most so many producers are remembered, and none for longer than its time") {
        auto config = small_log();
        config.producers_per_shard = 4;
        config.producer_idle = 60s;
        LogProcess process(std::make_shared<SimStorage>(1), config);
        for (std::uint64_t producer = 1; producer <= 9; ++producer)
            REQUIRE_EQ(send(process, 1, produced(1, producer - 1, 1, producer, 0)).outcome,
                       Outcome::Committed);
        CHECK_EQ(process.stats().producers, 4);
        CHECK(send(process, 1, produced(1, 8, 1, 9, 0)).is_duplicate);
        process.reactor.advance(62s);
        CHECK_EQ(process.stats().producers, 0);
    }

    TEST_CASE("durability memory answers duplicates as well") {
        auto config = small_log();
        config.durability = LogDurability::Memory;
        auto storage = std::make_shared<SimStorage>(1);
        LogProcess process(storage, config);
        const auto bytes = produced(1, 0, 3, 77, 0);
        TestAppend first(ShardUid{1}, bytes), copy(ShardUid{1}, bytes);
        process.reactor.run_in_turn([&] {
            process.writer(1).submit(first);
            process.writer(1).submit(copy);
        });
        process.reactor.run_until_idle();
        CHECK_EQ(first.result.outcome, Outcome::Committed);
        CHECK_EQ(copy.result.outcome, Outcome::Committed);
        CHECK(copy.result.is_duplicate);
        CHECK(send(process, 1, bytes).is_duplicate);
        CHECK_EQ(process.verify(1).value_or(0), 3);
    }
}

#include "engine/log/producer_table.h"

#include <doctest/doctest.h>

#include "proto/record_batch.h"

using namespace tidemill;

namespace {

constexpr ShardUid kShard{3};

RecordBatchHeader header_of(std::uint64_t producer, std::uint32_t sequence, std::uint32_t count,
                            std::uint32_t crc = 1) {
    RecordBatchHeader header{};
    header.producer_id = producer;
    header.producer_sequence = sequence;
    header.record_count = count;
    header.payload_crc = crc;
    return header;
}

struct Table : ProducerTable {
    using ProducerTable::ProducerTable;
    Ordinal end = 0;
    std::int64_t now_ms = 1000;

    ProducedBatch batch(std::uint64_t producer, std::uint32_t sequence, std::uint32_t count,
                        ShardUid shard = kShard) {
        const ProducedBatch made{producer, end, now_ms, shard.value, sequence, count, 1};
        end += count;
        return made;
    }
    ProducedBatch store(std::uint64_t producer, std::uint32_t sequence, std::uint32_t count,
                        ShardUid shard = kShard) {
        const auto made = batch(producer, sequence, count, shard);
        REQUIRE(submit(made));
        commit(made);
        return made;
    }
    SequenceVerdict verdict(std::uint64_t producer, std::uint32_t sequence, std::uint32_t count,
                            ShardUid shard = kShard) const {
        return judge(shard, header_of(producer, sequence, count)).verdict;
    }
    Errc refusal(std::uint64_t producer, std::uint32_t sequence, std::uint32_t count,
                 std::uint32_t crc = 1) const {
        const auto judged = judge(kShard, header_of(producer, sequence, count, crc));
        REQUIRE(judged.verdict == SequenceVerdict::Refused);
        return judged.error.code;
    }
};

}  // namespace

TEST_SUITE("log/producer_table") {
    TEST_CASE("nothing overtakes a new producer's first batch that was refused") {
        const LogConfig config;
        Table table(config);
        table.turn_away(kShard, 9, 700);
        table.turn_away(kShard, 9, 705);
        CHECK_EQ(table.refusal(9, 705, 5), Errc::SequenceGap);
        CHECK(table.verdict(9, 690, 10) == SequenceVerdict::Next);
        CHECK(table.verdict(9, 705, 5, ShardUid{4}) == SequenceVerdict::Next);
        CHECK(table.verdict(9, 700, 5) == SequenceVerdict::Next);
        const auto first = table.batch(9, 700, 5);
        REQUIRE(table.submit(first));
        CHECK(table.verdict(9, 705, 5) == SequenceVerdict::Next);
        table.withdraw(first);
        CHECK_EQ(table.refusal(9, 705, 5), Errc::SequenceGap);
        REQUIRE(table.submit(first));  // and its fate is unknown when the log begins anew
        table.clear();
        CHECK_EQ(table.refusal(9, 705, 5), Errc::SequenceGap);
        table.store(9, 700, 5);
        CHECK(table.verdict(9, 705, 5) == SequenceVerdict::Next);
    }

    TEST_CASE("a producer begins anywhere and goes on without a gap") {
        const LogConfig config;
        Table table(config);
        CHECK(table.verdict(9, 700, 5) == SequenceVerdict::Next);
        table.store(9, 700, 5);
        CHECK(table.verdict(9, 705, 5) == SequenceVerdict::Next);
        CHECK_EQ(table.refusal(9, 706, 5), Errc::SequenceGap);
        CHECK_EQ(table.position(kShard, 9).next_sequence, 705);
        CHECK_EQ(table.position(kShard, 9).end, 5);
        CHECK_FALSE(table.position(kShard, 8).is_known);
        CHECK_FALSE(table.position(ShardUid{4}, 9).is_known);
    }

    TEST_CASE("each of the last batches is recognised and answered with its own place") {
        const LogConfig config;
        Table table(config);
        std::vector<ProducedBatch> stored;
        for (std::uint32_t i = 0; i < 20; ++i)
            stored.push_back(table.store(9, i * 10, 10));
        for (std::size_t i = 0; i < stored.size(); ++i) {
            const auto judged =
                table.judge(kShard, header_of(9, static_cast<std::uint32_t>(i) * 10, 10));
            if (i + ProducerTable::kWindow < stored.size()) {
                CHECK_EQ(judged.error.code, Errc::SequenceStale);
                continue;
            }
            REQUIRE(judged.verdict == SequenceVerdict::Committed);
            CHECK_EQ(judged.known.first_ordinal, stored[i].first_ordinal);
            CHECK_EQ(judged.known.arrival_ms, stored[i].arrival_ms);
        }
    }

    TEST_CASE("batches that partly overlap, or hold other bytes, are refused") {
        const LogConfig config;
        Table table(config);
        table.store(9, 0, 10);
        table.store(9, 10, 10);
        CHECK_EQ(table.refusal(9, 5, 10), Errc::SequenceConflict);
        CHECK_EQ(table.refusal(9, 15, 10), Errc::SequenceConflict);
        CHECK_EQ(table.refusal(9, 10, 5), Errc::SequenceConflict);
        CHECK_EQ(table.refusal(9, 0, 20), Errc::SequenceConflict);
        CHECK_EQ(table.refusal(9, 10, 10, 2), Errc::SequenceConflict);
        CHECK_EQ(table.refusal(9, UINT32_MAX - 4, 10), Errc::SequenceConflict);
        CHECK_EQ(table.refusal(9, UINT32_MAX - 9, 10), Errc::SequenceStale);
    }

    TEST_CASE("a sealed batch is known by its numbers, whatever its bytes") {
        const LogConfig config;
        Table table(config);
        auto header = header_of(9, 0, 10, 1234);
        header.key_id = 3;
        header.shard = kShard.value;
        CHECK_EQ(produced_batch(header).payload_crc, 0);
        REQUIRE(table.submit(produced_batch(header)));
        table.commit(produced_batch(header));
        table.store(9, 10, 10);
        header.payload_crc = 99;
        CHECK(table.judge(kShard, header).verdict == SequenceVerdict::Committed);
        header.key_id = 0;  // sealing was switched off meanwhile
        CHECK(table.judge(kShard, header).verdict == SequenceVerdict::Committed);
        header.record_count = 9;
        CHECK(table.judge(kShard, header).verdict == SequenceVerdict::Refused);
        auto later = header_of(9, 10, 10, 55);
        later.key_id = 3;  // or on
        CHECK(table.judge(kShard, later).verdict == SequenceVerdict::Committed);
    }

    TEST_CASE("sequence numbers wrap") {
        const LogConfig config;
        Table table(config);
        const std::uint32_t start = UINT32_MAX - 14;
        table.store(9, start, 10);
        const auto across = table.store(9, start + 10, 10);  // ends at 5
        CHECK_EQ(across.next_sequence(), 5);
        CHECK(table.verdict(9, 5, 3) == SequenceVerdict::Next);
        CHECK_EQ(table.refusal(9, 6, 3), Errc::SequenceGap);
        table.store(9, 5, 3);
        CHECK(table.verdict(9, start, 10) == SequenceVerdict::Committed);
        CHECK(table.verdict(9, start + 10, 10) == SequenceVerdict::Committed);
        CHECK(table.verdict(9, 5, 3) == SequenceVerdict::Committed);
        CHECK_EQ(table.refusal(9, 8 + 0x7fffffffu, 1), Errc::SequenceGap);
        CHECK_EQ(table.refusal(9, 8 + 0x80000001u, 1), Errc::SequenceStale);
    }

    TEST_CASE("what was withdrawn has never been") {
        const LogConfig config;
        Table table(config);
        const auto only = table.batch(9, 50, 5);
        REQUIRE(table.submit(only));
        CHECK(table.verdict(9, 50, 5) == SequenceVerdict::Submitted);
        table.withdraw(only);
        CHECK_EQ(table.size(), 0);
        CHECK(table.verdict(9, 0, 5) == SequenceVerdict::Next);

        table.store(9, 0, 5);
        std::vector<ProducedBatch> waiting;
        for (std::uint32_t i = 1; i < 20; ++i) {
            waiting.push_back(table.batch(9, i * 5, 5));
            REQUIRE(table.submit(waiting.back()));
        }
        for (const auto& batch : waiting)
            table.withdraw(batch);
        CHECK(table.verdict(9, 5, 5) == SequenceVerdict::Next);
        CHECK(table.verdict(9, 0, 5) == SequenceVerdict::Committed);
        CHECK_EQ(table.refusal(9, 10, 5), Errc::SequenceGap);
    }

    TEST_CASE("the producer idle for longest makes room, never one with batches on their way") {
        LogConfig config;
        config.producers_per_shard = 3;
        config.producers = 5;
        Table table(config);
        const auto busy = table.batch(1, 0, 1);
        REQUIRE(table.submit(busy));
        table.store(2, 0, 1);
        table.store(3, 0, 1);
        table.store(2, 1, 1);
        table.store(4, 0, 1);  // 3 goes
        CHECK_EQ(table.size(), 3);
        CHECK(table.verdict(3, 0, 1) == SequenceVerdict::Next);
        CHECK(table.verdict(2, 1, 1) == SequenceVerdict::Committed);
        CHECK(table.verdict(1, 0, 1) == SequenceVerdict::Submitted);
        table.store(5, 0, 1, ShardUid{8});
        table.store(6, 0, 1, ShardUid{8});
        table.store(7, 0, 1, ShardUid{8});  // 2 goes: the lane is full
        CHECK_EQ(table.size(), 5);
        CHECK(table.verdict(2, 1, 1) == SequenceVerdict::Next);
        table.commit(busy);
        table.forget(ShardUid{8});
        CHECK_EQ(table.size(), 2);
        CHECK(table.verdict(1, 0, 1) == SequenceVerdict::Committed);
        CHECK(table.verdict(4, 0, 1) == SequenceVerdict::Committed);

        const auto second = table.batch(4, 1, 1), third = table.batch(1, 1, 1),
                   fourth = table.batch(10, 0, 1);
        REQUIRE(table.submit(second));
        REQUIRE(table.submit(third));
        REQUIRE(table.submit(fourth));
        CHECK_FALSE(table.submit(table.batch(11, 0, 1)));
    }

    TEST_CASE("the idle are forgotten after their time") {
        LogConfig config;
        config.producer_idle = 10s;
        Table table(config);
        table.store(1, 0, 1);
        table.now_ms += 6000;
        table.store(2, 0, 1);
        table.forget_idle(table.now_ms + 4000);
        CHECK_EQ(table.size(), 2);
        table.forget_idle(table.now_ms + 4001);
        CHECK_EQ(table.size(), 1);
        CHECK(table.verdict(2, 0, 1) == SequenceVerdict::Committed);
        table.forget_idle(table.now_ms + 20'000);
        CHECK_EQ(table.size(), 0);
        CHECK(table.remembered().empty());
    }

    TEST_CASE("a table made of what another remembers judges as it does") {
        const LogConfig config;
        Table table(config), copy(config);
        for (std::uint32_t i = 0; i < 30; ++i)
            for (std::uint64_t producer = 1; producer <= 5; ++producer)
                table.store(producer, i * 3, 3, ShardUid{static_cast<std::uint32_t>(producer % 2)});
        for (const auto& batch : table.remembered())
            copy.learn(batch);
        CHECK_EQ(copy.size(), 5);
        for (std::uint64_t producer = 1; producer <= 5; ++producer)
            for (std::uint32_t sequence = 0; sequence < 99; ++sequence) {
                const ShardUid shard{static_cast<std::uint32_t>(producer % 2)};
                const auto here = table.judge(shard, header_of(producer, sequence, 3));
                const auto there = copy.judge(shard, header_of(producer, sequence, 3));
                CHECK(here.verdict == there.verdict);
                CHECK_EQ(here.known.first_ordinal, there.known.first_ordinal);
                CHECK_EQ(here.error.message, there.error.message);
            }
    }
}

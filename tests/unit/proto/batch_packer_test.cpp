#include "proto/batch_packer.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "proto/batch_codec.h"
#include "tests/unit/proto/forged_batch.h"

using namespace tidemill;

namespace {

struct Kept {
    std::string key, data, attributes;
    Ordinal ordinal;
    std::int64_t arrival_ms;
    bool operator==(const Kept&) const = default;
};

std::vector<Kept> records_of(const RecordBatchView& batch) {
    std::vector<Kept> records;
    BatchOpener opener;
    RecordCursor cursor = opener.open(batch);
    for (RecordView record; cursor.next(record);)
        records.push_back({std::string(record.partition_key), std::string(as_text(record.data)),
                           std::string(as_text(record.attributes)), cursor.ordinal(),
                           to_millis(cursor.arrival())});
    CHECK(cursor.status().has_value());
    return records;
}

std::vector<std::byte> stamped(Bytes bytes, Ordinal first, std::int64_t arrival_ms,
                               std::uint32_t epoch = 1, ShardUid shard = ShardUid{3}) {
    std::vector<std::byte> copy(bytes.begin(), bytes.end());
    stamp_record_batch(copy, shard, first, from_millis(arrival_ms), epoch);
    return copy;
}

std::vector<std::byte> one_record(const std::string& data, Ordinal first, std::int64_t arrival_ms,
                                  std::uint32_t epoch = 1, ShardUid shard = ShardUid{3}) {
    RecordBatchBuilder builder;
    builder.add("k", as_bytes(data));
    return stamped(builder.finish(9, 1).bytes(), first, arrival_ms, epoch, shard);
}

bool add(BatchPacker& packer, const std::vector<std::byte>& batch) {
    return packer.try_add(RecordBatchView::trusted(batch));
}

}  // namespace

TEST_SUITE("proto.batch_packer") {
    TEST_CASE("every record keeps its bytes, its ordinal and its arrival") {
        Random random(4711);
        MESSAGE("seed 4711");
        BatchPacker packer;
        std::vector<Kept> wanted;
        Ordinal next = 1'000'000;
        std::int64_t arrival = 1'700'000'000'000;
        std::size_t single_bytes = 0;
        while (true) {
            RecordBatchBuilder builder;
            const auto count = 1 + random.below(3);
            for (std::uint64_t i = 0; i < count; ++i)
                builder.add(std::string(random.below(20), 'k'),
                            as_bytes(std::string(random.below(200), static_cast<char>('a' + i))),
                            as_bytes(std::string(random.chance(0.2) ? 5 : 0, 't')));
            const auto batch = stamped(builder.finish(random.below(3), 7).bytes(), next, arrival);
            if (!add(packer, batch)) break;
            single_bytes += batch.size();
            for (auto& record : records_of(RecordBatchView::trusted(batch)))
                wanted.push_back(std::move(record));
            next += count;
            arrival += static_cast<std::int64_t>(random.chance(0.1) ? random.below(100'000)
                                                                    : random.below(200));
        }
        const auto view = packer.finish();
        CHECK_GT(view.bytes().size(), kPackedBytesMax - kPackBelowBytes);
        CHECK_LE(view.bytes().size(), kPackedBytesMax);
        CHECK_LT(view.bytes().size(), single_bytes * 7 / 8);
        const auto parsed = RecordBatchView::parse_stamped(view.bytes());
        REQUIRE(parsed.has_value());
        CHECK(parsed->payload_is_intact());
        CHECK(parsed->is_packed());
        CHECK_EQ(parsed->header().producer_id, 0);
        CHECK_EQ(to_millis(parsed->arrival()), wanted.front().arrival_ms);
        CHECK_EQ(to_millis(parsed->last_arrival()), wanted.back().arrival_ms);
        CHECK(records_of(*parsed) == wanted);

        // The door takes no such batch from a client.
        const auto fresh = RecordBatchView::parse(view.bytes());
        REQUIRE_FALSE(fresh.has_value());
        CHECK_EQ(fresh.error().code, Errc::InvalidArgument);
    }

    TEST_CASE("a packed batch is packed on like any other") {
        BatchPacker packer;
        REQUIRE(add(packer, one_record("a", 5, 100)));
        REQUIRE(add(packer, one_record("b", 6, 250)));
        const Bytes two = packer.finish().bytes();
        const std::vector<std::byte> first(two.begin(), two.end());
        packer.clear();
        REQUIRE(add(packer, first));
        CHECK_FALSE(add(packer, one_record("c", 7, 249)));
        REQUIRE(add(packer, one_record("c", 7, 250)));
        CHECK_EQ(packer.batch_count(), 2);
        const auto records = records_of(packer.finish());
        REQUIRE_EQ(records.size(), 3);
        CHECK(records[0] == Kept{"k", "a", "", 5, 100});
        CHECK(records[1] == Kept{"k", "b", "", 6, 250});
        CHECK(records[2] == Kept{"k", "c", "", 7, 250});
    }

    TEST_CASE("what does not follow, or is no small plain batch, is left out and changes nothing") {
        BatchPacker packer;
        REQUIRE(add(packer, one_record("first", 5, 100)));
        CHECK_FALSE(add(packer, one_record("gap", 7, 100)));
        CHECK_FALSE(add(packer, one_record("again", 5, 100)));
        CHECK_FALSE(add(packer, one_record("earlier", 6, 99)));
        CHECK_FALSE(add(packer, one_record("owner", 6, 100, 2)));
        CHECK_FALSE(add(packer, one_record("shard", 6, 100, 1, ShardUid{4})));
        CHECK_FALSE(add(packer, one_record("late", 6, 100 + std::int64_t{UINT32_MAX} + 1)));
        CHECK_FALSE(add(packer, one_record(std::string(kPackBelowBytes, 'x'), 6, 100)));
        const std::vector<std::string> compressible{std::string(1000, 'c')};
        for (const Codec codec : {Codec::Lz4, Codec::Zstd})
            CHECK_FALSE(add(packer, stamped(compressed_batch(compressible, {codec, 0}), 6, 100)));
        auto sealed = one_record("sealed", 6, 100);
        auto header = load_le<RecordBatchHeader>(sealed.data());
        header.key_id = 1;
        store_le(sealed.data(), header);
        CHECK_FALSE(add(packer, sealed));
        // Under a checksum that is right: no records.
        RecordBatchBuilder builder;
        builder.add("k", as_bytes("two"));
        builder.add("k", as_bytes("two"));
        const Bytes built = builder.finish().bytes();
        std::vector<std::byte> unreadable(built.begin(), built.end());
        unreadable[71] = std::byte{0x7f};
        reseal_record_batch(unreadable);
        CHECK_FALSE(add(packer, stamped(unreadable, 6, 100)));
        CHECK_EQ(packer.batch_count(), 1);
        REQUIRE(add(packer, one_record("second", 6, 100 + std::int64_t{UINT32_MAX})));
        const auto records = records_of(packer.finish());
        REQUIRE_EQ(records.size(), 2);
        CHECK(records[0] == Kept{"k", "first", "", 5, 100});
        CHECK(records[1] == Kept{"k", "second", "", 6, 100 + std::int64_t{UINT32_MAX}});
    }

    TEST_CASE("every flipped bit of a packed batch is seen, and unchecked ones are survived") {
        BatchPacker packer;
        REQUIRE(add(packer, one_record("a", 5, 100)));
        REQUIRE(add(packer, one_record("b", 6, 1250)));
        const Bytes bytes = packer.finish().bytes();
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            std::vector<std::byte> damaged(bytes.begin(), bytes.end());
            damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            const auto view = RecordBatchView::parse_stamped(damaged);
            CHECK_FALSE((view.has_value() && view->payload_is_intact()));
            RecordCursor cursor(RecordBatchView::trusted(damaged));
            std::size_t records = 0;
            for (RecordView record; records < 1000 && cursor.next(record);)
                ++records;
            CHECK_LT(records, 1000);
        }
    }

    TEST_CASE("arrivals that do not end where the header says are Corrupt") {
        BatchPacker packer;
        REQUIRE(add(packer, one_record("a", 5, 100)));
        REQUIRE(add(packer, one_record("b", 6, 150)));
        const Bytes bytes = packer.finish().bytes();
        for (const std::uint32_t span : {0u, 49u, 51u, 5'000'000u}) {
            std::vector<std::byte> changed(bytes.begin(), bytes.end());
            stamp_record_batch(changed, ShardUid{3}, 5, from_millis(100), 1, span);
            const auto view = RecordBatchView::parse_stamped(changed);
            REQUIRE(view.has_value());
            RecordCursor cursor(*view);
            RecordView record;
            CHECK(cursor.next(record));
            CHECK_FALSE(cursor.next(record));
            REQUIRE_FALSE(cursor.status().has_value());
            CHECK_EQ(cursor.status().error().code, Errc::Corrupt);
        }
    }

    TEST_CASE("the example of docs/formats/record_batch.md") {
        BatchPacker packer;
        REQUIRE(add(packer, one_record("data", 7, 1000)));
        REQUIRE(add(packer, one_record("more", 8, 1300)));
        const auto view = packer.finish();
        const std::uint8_t records[] = {0x00, 0x02, 0x04, 'k', 'd', 'a', 't', 'a', 0xac,
                                        0x02, 0x02, 0x04, 'k', 'm', 'o', 'r', 'e'};
        const Bytes payload = view.bytes().subspan(sizeof(RecordBatchHeader));
        CHECK_EQ(as_text(payload),
                 std::string_view(reinterpret_cast<const char*>(records), sizeof records));
        CHECK_EQ(view.header().arrival_span_ms, 300);
        CHECK_EQ(view.header().batch_bytes, 81);
    }
}

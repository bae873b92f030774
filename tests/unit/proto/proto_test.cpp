#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "proto/record_batch.h"
#include "proto/sequence_number.h"

using namespace tidemill;

TEST_SUITE("proto") {
    TEST_CASE("sequence numbers have the layout that KCL validates") {
        CHECK_EQ((SequenceNumber{1700000000, 0, 0, 1700000000}.to_string()),
                 "49646437577108476416916876405825929425585429676275269634");
        CHECK_EQ((SequenceNumber{1700000000, 0, 1, 1700000100}.to_string()),
                 "49646437577108476416916876405827138351405051177397649410");
        CHECK_EQ((SequenceNumber{1700000000, 17, 5, 1700000123}.to_string()),
                 "49646437577130777162115407028973509772956159636150419730");
    }

    TEST_CASE("sequence numbers parse back, grow with the ordinal, and refuse anything else") {
        Random random(11);
        for (int i = 0; i < 2000; ++i) {
            const SequenceNumber number{
                1600000000 + static_cast<std::int64_t>(random.below(400000000)),
                static_cast<std::uint32_t>(random.below(20000)),
                random.next() >> (1 + random.below(63)),
                1600000000 + static_cast<std::int64_t>(random.below(400000000))};
            const auto text = number.to_string();
            REQUIRE_EQ(text.size(), 56);
            REQUIRE(SequenceNumber::parse(text) == number);
            auto later = number;
            later.record_s = 0;
            if (later.ordinal++ < kEndingOrdinal) CHECK_GT(later.to_string(), text);
        }
        for (const auto* bad :
             {"", "0", "x", "4964643757710847641691687640582592942558542967627526963x",
              "99999999999999999999999999999999999999999999999999999999"})
            CHECK_FALSE(SequenceNumber::parse(bad).has_value());
    }

    TEST_CASE("a batch gives its records back and refuses every flipped bit") {
        RecordBatchBuilder builder;
        const std::string large(300, 'x');
        builder.add("key", as_bytes("first"));
        builder.add("", as_bytes(""), as_bytes("attributes"));
        builder.add("\xc3\xa4", as_bytes(large));
        const auto built = builder.finish(77, 5);
        std::vector<std::byte> bytes(built.bytes().begin(), built.bytes().end());
        REQUIRE(RecordBatchView::parse(bytes).has_value());
        stamp_record_batch(bytes, ShardUid{9}, 1000, from_millis(123456), 1);
        const auto stamped = RecordBatchView::parse_stamped(bytes);
        REQUIRE(stamped.has_value());
        CHECK(stamped->payload_is_intact());
        CHECK_EQ(stamped->first_ordinal(), 1000);
        RecordCursor cursor(*stamped);
        RecordView record;
        REQUIRE(cursor.next(record));
        CHECK_EQ(record.partition_key, "key");
        CHECK_EQ(as_text(record.data), "first");
        REQUIRE(cursor.next(record));
        CHECK_EQ(as_text(record.attributes), "attributes");
        REQUIRE(cursor.next(record));
        CHECK_EQ(as_text(record.data), large);
        CHECK_EQ(cursor.ordinal(), 1002);
        CHECK_FALSE(cursor.next(record));
        CHECK(cursor.status().has_value());
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            auto damaged = bytes;
            damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            const auto view = RecordBatchView::parse_stamped(damaged);
            CHECK_FALSE((view.has_value() && view->payload_is_intact()));
        }
    }

    TEST_CASE("a batch whose records overrun is reported, not followed") {
        RecordBatchBuilder builder;
        builder.add("k", as_bytes("data"));
        const auto view = builder.finish();
        std::vector<std::byte> bytes(view.bytes().begin(), view.bytes().end());
        bytes[65] = std::byte{0x7f};  // the data's length
        RecordCursor cursor(RecordBatchView::trusted(bytes));
        RecordView record;
        CHECK_FALSE(cursor.next(record));
        CHECK_EQ(cursor.status().error().code, Errc::Corrupt);
    }
}

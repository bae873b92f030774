#include "proto/native_frame.h"

#include <vector>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "proto/native_generated.h"
#include "proto/record_batch.h"

using namespace tidemill;

namespace {

constexpr std::size_t kMax = 1 << 20;

std::vector<std::byte> from_hex(std::string_view text) {
    std::vector<std::byte> bytes;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 0; i + 1 < text.size(); i += 3)
        bytes.push_back(static_cast<std::byte>(digit(text[i]) << 4 | digit(text[i + 1])));
    return bytes;
}

std::vector<std::byte> example() {
    const wire::ProduceRequest request(7, 0);
    RecordBatchBuilder builder;
    builder.add("k", as_bytes("hello"));
    const Bytes batch = builder.finish().bytes();
    std::vector<std::byte> frame(24 + batch.size());
    wire::write_frame_head(frame.data(), 3, wire::kAttachment, 42, wire::struct_bytes(request),
                           batch.size());
    std::memcpy(frame.data() + 24, batch.data(), batch.size());
    return frame;
}

}  // namespace

TEST_SUITE("proto/native_frame") {
    TEST_CASE("the format page's example is what the code writes") {
        CHECK_EQ(example(), from_hex("60 00 00 00 03 04 01 00 2a 00 00 00 36 1f b2 5d "
                                     "07 00 00 00 00 00 00 00 54 4d 42 31 48 00 00 00 "
                                     "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                                     "00 00 00 00 00 a5 f4 d0 00 00 00 00 00 00 00 00 "
                                     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                                     "00 00 00 00 00 00 00 00 02 05 6b 68 65 6c 6c 6f "));
        const auto reply = from_hex(
            "28 00 00 00 03 09 00 00 2a 00 00 00 b4 a9 35 56 "
            "e8 03 00 00 00 00 00 00 00 68 e5 cf 8b 01 00 00 "
            "00 00 00 00 00 00 00 00 ");
        const auto frame = wire::parse_frame(reply, kMax);
        REQUIRE((frame.has_value() && frame->has_value()));
        CHECK((*frame)->is_end());
        const auto message = wire::read_struct<wire::ProduceReply>((*frame)->envelope);
        CHECK_EQ(message->first_ordinal(), 1000);
        CHECK_EQ(message->arrival_ms(), 1'700'000'000'000);
        CHECK_EQ(message->is_duplicate(), 0);
    }

    TEST_CASE("a frame that is not all there is waited for, and says how long it will be") {
        const auto frame = example();
        std::size_t needed = 0;
        for (std::size_t cut = 0; cut < frame.size(); ++cut) {
            const auto parsed = wire::parse_frame(Bytes(frame).first(cut), kMax, &needed);
            REQUIRE(parsed.has_value());
            CHECK_FALSE(parsed->has_value());
            CHECK_EQ(needed, cut < 16 ? 16 : frame.size());
        }
        CHECK((*wire::parse_frame(frame, kMax))->attachment.size() == 72);
    }

    TEST_CASE("no flipped bit of header or envelope passes") {
        auto frame = example();
        for (std::size_t bit = 0; bit < 24 * 8; ++bit) {
            frame[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            const auto parsed = wire::parse_frame(frame, kMax);
            // A greater length may still be waited for; a whole frame must not come of it.
            CHECK((!parsed.has_value() || !parsed->has_value()));
            frame[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        }
    }

    TEST_CASE("a message of the wrong size is refused") {
        const std::vector<std::byte> nine(9);
        CHECK_EQ(wire::read_struct<wire::CreditReturn>(nine).error().code, Errc::Corrupt);
    }
}

#include "engine/aws/event_stream.h"

#include <doctest/doctest.h>

#include "engine/base/crc32.h"

using namespace tidemill;
using namespace tidemill::aws;

namespace {

std::string frame_of(std::initializer_list<EventText> headers, std::string_view payload) {
    std::string out;
    EventFrameWriter frame(out, headers);
    out += payload;
    frame.finish();
    return out;
}

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        text += "0123456789abcdef"[c & 15];
    }
    return text;
}

void put_be(std::string& bytes, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i)
        bytes[at + i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
}

/// Of headers as bytes.
std::string frame_by_hand(std::string_view headers, std::string_view payload) {
    std::string out(12, '\0');
    put_be(out, 0, static_cast<std::uint32_t>(16 + headers.size() + payload.size()));
    put_be(out, 4, static_cast<std::uint32_t>(headers.size()));
    put_be(out, 8, crc32(as_bytes(out).first(8)));
    out += headers;
    out += payload;
    out.resize(out.size() + 4);
    put_be(out, out.size() - 4, crc32(as_bytes(out).first(out.size() - 4)));
    return out;
}

}  // namespace

TEST_CASE("a frame has its lengths, headers and checksums where the specification says") {
    // The checksums were computed with Python's zlib.crc32.
    CHECK(hex(frame_of({}, "")) == "000000100000000005c248eb7d98c8ff");
    CHECK(hex(frame_of({{"a", "bc"}}, "{}")) ==
          "000000190000000796b6bf39016107000262637b7d083b96d8");
}

TEST_CASE("frames that follow each other are read back as they were written") {
    std::string out = "before";
    {
        EventFrameWriter frame(out, {{":message-type", "event"}, {":event-type", "E"}});
        out += "payload";
        frame.finish();
    }
    out += frame_of({{"empty", ""}}, "");
    Bytes rest = as_bytes(out).subspan(6);
    const auto first = parse_event_frame(rest);
    REQUIRE(first);
    REQUIRE(*first);
    CHECK((*first)->text(":event-type") == "E");
    CHECK((*first)->text(":exception-type").empty());
    CHECK(as_text((*first)->payload) == "payload");
    const auto second = parse_event_frame(rest.subspan((*first)->bytes));
    REQUIRE(second);
    REQUIRE(*second);
    CHECK((*second)->headers.size() == 1);
    CHECK((*second)->payload.empty());
    CHECK((*first)->bytes + (*second)->bytes == rest.size());
}

TEST_CASE("half a frame is waited for; a flipped bit is found wherever it is") {
    const std::string whole = frame_of({{"name", "value"}}, "payload");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto half = parse_event_frame(as_bytes(whole).first(size));
        REQUIRE(half);
        CHECK_FALSE(*half);
    }
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        std::string damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
        const auto parsed = parse_event_frame(as_bytes(damaged));
        CHECK_MESSAGE(!parsed, bit);
    }
}

TEST_CASE("headers of every type are stepped over, and only strings are texts") {
    struct Sample {
        EventHeaderType type;
        std::string_view value;
    };
    using enum EventHeaderType;
    const Sample samples[] = {{True, ""},
                              {False, ""},
                              {Byte, "1"},
                              {Short, "12"},
                              {Integer, "1234"},
                              {Long, "12345678"},
                              {EventHeaderType::Bytes, "abc"},
                              {String, "text"},
                              {Timestamp, "12345678"},
                              {Uuid, "0123456789abcdef"}};
    std::string headers;
    for (const auto& [type, value] : samples) {
        headers += {'\1', static_cast<char>('a' + static_cast<int>(type)), static_cast<char>(type)};
        if (type == String || type == EventHeaderType::Bytes)
            headers += {'\0', static_cast<char>(value.size())};
        headers += value;
    }
    const auto frame = parse_event_frame(as_bytes(frame_by_hand(headers, "payload")));
    REQUIRE(frame);
    REQUIRE(*frame);
    REQUIRE((*frame)->headers.size() == std::size(samples));
    for (std::size_t i = 0; i < std::size(samples); ++i) {
        const EventHeader& header = (*frame)->headers[i];
        CHECK(header.type == samples[i].type);
        CHECK(as_text(header.value) == samples[i].value);
        CHECK((*frame)->text(header.name) == (header.type == String ? "text" : ""));
    }
    CHECK(as_text((*frame)->payload) == "payload");
}

TEST_CASE("headers that do not fit, or are of no type, are corrupt") {
    using namespace std::string_literals;
    for (const auto& headers : {"\0"s, "\1"s, "\1a"s, "\1a\12"s, "\1a\7"s, "\1a\7\0"s,
                                "\1a\7\0\2x"s, "\1a\4abc"s, "\0\7\0\0"s}) {
        const auto frame = parse_event_frame(as_bytes(frame_by_hand(headers, "")));
        REQUIRE_FALSE(frame);
        CHECK(frame.error().code == Errc::Corrupt);
    }
}

TEST_CASE("lengths that clients would refuse are refused before memory is taken for them") {
    const auto lengths = [](std::uint32_t total, std::uint32_t headers) {
        std::string out(12, '\0');
        put_be(out, 0, total);
        put_be(out, 4, headers);
        put_be(out, 8, crc32(as_bytes(out).first(8)));
        return parse_event_frame(as_bytes(out));
    };
    CHECK(lengths(0, 0).error().code == Errc::Corrupt);
    CHECK(lengths(15, 0).error().code == Errc::Corrupt);
    CHECK(lengths(20, 5).error().code == Errc::Corrupt);
    CHECK(lengths(16 + 131'073, 131'073).error().code == Errc::TooLarge);
    CHECK(lengths(16 + (24 << 20) + 1, 0).error().code == Errc::TooLarge);
    CHECK(lengths(16 + (24 << 20), 0));  // only not there yet
}

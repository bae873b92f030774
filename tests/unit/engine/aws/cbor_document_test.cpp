#include "engine/aws/cbor_document.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/aws/document.h"
#include "engine/aws/document_writer.h"

using namespace tidemill;
using namespace tidemill::aws;

namespace {

std::string bytes_of(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
    return bytes;
}

std::optional<Value> parse(std::string_view hex, CborTimes times = CborTimes::Milliseconds) {
    return parse_cbor(bytes_of(hex), times);
}

double real_of(std::string_view hex) {
    const auto value = parse(hex);
    REQUIRE(value);
    REQUIRE(value->real() != nullptr);
    return *value->real();
}

std::int64_t integer_of(std::string_view hex) {
    const auto value = parse(hex);
    REQUIRE(value);
    REQUIRE(value->integer() != nullptr);
    return *value->integer();
}

std::string text_of(std::string_view hex) {
    const auto value = parse(hex);
    REQUIRE(value);
    REQUIRE(value->text() != nullptr);
    return *value->text();
}

}  // namespace

// RFC 8949, appendix A.
TEST_CASE("CBOR's numbers are read in each of their widths") {
    CHECK(integer_of("00") == 0);
    CHECK(integer_of("17") == 23);
    CHECK(integer_of("1818") == 24);
    CHECK(integer_of("1903e8") == 1000);
    CHECK(integer_of("1a000f4240") == 1'000'000);
    CHECK(integer_of("1b000000e8d4a51000") == 1'000'000'000'000);
    CHECK(integer_of("1b7fffffffffffffff") == INT64_MAX);
    CHECK(integer_of("20") == -1);
    CHECK(integer_of("3903e7") == -1000);
    CHECK(integer_of("3b7fffffffffffffff") == INT64_MIN);
    CHECK(real_of("1bffffffffffffffff") == 18446744073709551615.0);
    CHECK(real_of("3bffffffffffffffff") == -18446744073709551616.0);
    CHECK(real_of("f90000") == 0);
    CHECK(real_of("f93c00") == 1);
    CHECK(real_of("f97bff") == 65504);
    CHECK(real_of("f90001") == 5.960464477539063e-8);
    CHECK(real_of("f90400") == 0.00006103515625);
    CHECK(real_of("f9c400") == -4);
    CHECK(std::isinf(real_of("f97c00")));
    CHECK(std::isnan(real_of("f97e00")));
    CHECK(real_of("fa47c35000") == 100000);
    CHECK(real_of("fbc010666666666666") == -4.1);
}

TEST_CASE("CBOR's strings and containers are read in one piece and in many") {
    CHECK(text_of("60") == "");
    CHECK(text_of("6449455446") == "IETF");
    CHECK(text_of("62c3bc") == "ü");
    CHECK(text_of("7f657374726561646d696e67ff") == "streaming");
    CHECK(text_of("7fff") == "");
    const auto blob = parse("5f42010243030405ff");
    REQUIRE(blob);
    REQUIRE(blob->blob() != nullptr);
    CHECK(*blob->blob() == std::string("\1\2\3\4\5"));
    for (const char* list : {"83010203", "9f010203ff", "9803010203"}) {
        const auto value = parse(list);
        REQUIRE(value);
        REQUIRE(value->list() != nullptr);
        CHECK(value->list()->size() == 3);
        CHECK(*value->list()->back().integer() == 3);
    }
    for (const char* map : {"a26161016162f5", "bf6161016162f5ff", "b8026161017f6162fff5"}) {
        const auto value = parse(map);
        REQUIRE(value);
        CHECK(value->integer_or("a", 0) == 1);
        CHECK(value->boolean_or("b", false));
    }
    CHECK_FALSE(parse("bf61610161627ff5ff"));
    const auto last = parse("a3616101616102616200");
    REQUIRE(last);
    CHECK(last->integer_or("a", 0) == 2);
    const auto nothing = parse("a26161f66162f7");
    REQUIRE(nothing);
    CHECK(nothing->find("a") == nullptr);
    CHECK(nothing->find("b") == nullptr);
}

TEST_CASE(
    "a CBOR time is in milliseconds, an integer or a float, unless the protocol has seconds") {
    const WallTime expected = from_millis(1'700'000'000'007);
    const auto whole = parse("c11b0000018bcfe56807");
    REQUIRE(whole);
    REQUIRE(whole->time() != nullptr);
    CHECK(*whole->time() == expected);
    const auto fraction = parse("c1fb4278bcfe56807000");
    REQUIRE(fraction);
    CHECK(*fraction->time() == expected);
    const auto seconds = parse("c1fb41d954fc400072b0", CborTimes::Seconds);
    REQUIRE(seconds);
    CHECK(*seconds->time() - expected <= 1ms);
    CHECK(expected - *seconds->time() <= 1ms);
    CHECK(*parse("c11a6553f100", CborTimes::Seconds)->time() == from_millis(1'700'000'000'000));
    // Far away, either way, and without overflow.
    CHECK(*parse("c1fb7fefffffffffffff")->time() > expected);
    CHECK(*parse("c1fbffefffffffffffff")->time() < expected);
    CHECK_FALSE(parse("c1f97e00"));
    CHECK_FALSE(parse("c16131"));
    CHECK_FALSE(parse("c1c101"));
    // Other tags are passed over.
    CHECK(integer_of("d9d9f705") == 5);
}

TEST_CASE("what is no CBOR is refused, and no announced length is believed") {
    for (const char* broken : {"",    // nothing
                               "18",  // a head cut short
                               "1c",  // a reserved width
                               "1f",
                               "3f",            // numbers of indefinite length
                               "ff",            // a break alone
                               "61",            // a string cut short
                               "61ff",          // not UTF-8
                               "7f41",          // a piece of another type
                               "7f7f6161ffff",  // a piece of indefinite length
                               "5f6161ff",      // text within bytes
                               "7f6161",        // no break
                               "5bffffffffffffffff",
                               "7affffffff",                // strings of all memory
                               "9bffffffffffffffff00",      // an array of all memory
                               "bbffffffffffffffff616100",  // a map of all memory
                               "9affffff",
                               "82",
                               "8201",  // arrays cut short
                               "a1",
                               "a161",
                               "a16161",
                               "a10101",    // maps cut short, and a name that is no text
                               "bf6161ff",  // a name without its value
                               "9f01",
                               "bf",  // no break
                               "f0",
                               "f818",  // simple values that mean nothing
                               "f9",
                               "fb00000000000000",  // floats cut short
                               "c1",
                               "d8",  // tags of nothing
                               "0000",
                               "a0ff",  // bytes behind the end
                               "a16161c1f5"}) {
        CAPTURE(broken);
        CHECK_FALSE(parse(broken));
    }
}

TEST_CASE("CBOR nests 32 levels deep and no deeper, and holds a bounded number of values") {
    const auto nested = [](int levels, char open, char close) {
        return std::string(static_cast<std::size_t>(levels), open) + "\x01" +
               std::string(close == 0 ? 0 : static_cast<std::size_t>(levels), close);
    };
    const auto accepts = [](const std::string& bytes) {
        return parse_cbor(bytes, CborTimes::Milliseconds).has_value();
    };
    CHECK(accepts(nested(32, '\x81', 0)));
    CHECK_FALSE(accepts(nested(33, '\x81', 0)));
    CHECK(accepts(nested(32, '\x9f', '\xff')));
    CHECK_FALSE(accepts(nested(100'000, '\x9f', '\xff')));
    CHECK(accepts(nested(32, '\xc2', 0)));
    CHECK_FALSE(accepts(nested(100'000, '\xc2', 0)));
    CHECK(accepts("\x9f" + std::string(kDocumentValuesMax - 1, '\xf6') + "\xff"));
    CHECK_FALSE(accepts("\x9f" + std::string(kDocumentValuesMax, '\xf6') + "\xff"));
}

TEST_CASE("what the writer writes the parser reads, cut anywhere it reads nothing") {
    std::string out;
    DocumentWriter writer(out, Encoding::Cbor);
    writer.begin_object().member("text", std::string_view("kü")).member("yes", true);
    writer.member("number", -70000).member("time", from_millis(1'700'000'000'007));
    writer.key("list").begin_array().blob(as_bytes("\xff\x01")).begin_object().end_object();
    writer.end_array().end_object();
    const auto value = parse_document(out, Encoding::Cbor);
    REQUIRE(value);
    CHECK(value->text_or("text", "") == "kü");
    CHECK(value->boolean_or("yes", false));
    CHECK(value->integer_or("number", 0) == -70000);
    CHECK(value->time_of("time") == from_millis(1'700'000'000'007));
    CHECK(*value->find("list")->list()->front().blob() == "\xff\x01");
    for (std::size_t size = 0; size < out.size(); ++size)
        CHECK_FALSE(parse_document(std::string_view(out).substr(0, size), Encoding::Cbor));
    CHECK_FALSE(parse_document("\x80", Encoding::Cbor));  // a list is no request
}

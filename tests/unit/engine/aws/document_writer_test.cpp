#include "engine/aws/document_writer.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/aws/json_document.h"

using namespace tidemill;
using namespace tidemill::aws;

TEST_CASE("the writer sets commas, escapes and fractions of seconds") {
    std::string out;
    DocumentWriter json(out, Encoding::Json);
    json.begin_object().member("a", 1).member("b", true).member("c", std::string_view("\"\n\x01ü"));
    json.key("d")
        .begin_array()
        .number(-2)
        .blob(as_bytes("hi"))
        .begin_object()
        .end_object()
        .end_array();
    json.member("e", from_millis(1'700'000'000'007)).end_object();
    CHECK(out ==
          "{\"a\":1,\"b\":true,\"c\":\"\\\"\\n\\u0001ü\",\"d\":[-2,\"aGk=\",{}],\"e\":1700000000."
          "007}");
    CHECK(parse_json(out));
}

TEST_CASE("a document takes the last of equal members, and none of what is no JSON") {
    const auto value = parse_json(R"({"a":1,"a":1.5E3,"b":null})");
    REQUIRE(value);
    CHECK(value->integer_or("a", 0) == 1500);
    CHECK(value->find("b") == nullptr);
    for (const char* text : {"", "{", "{}x", "{\"a\":\"\xff\"}"})
        CHECK_FALSE(parse_json(text));
    CHECK_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')));
}

TEST_CASE("CBOR has bytes as they are, containers of indefinite length and times in milliseconds") {
    std::string out;
    DocumentWriter cbor(out, Encoding::Cbor);
    cbor.begin_object().member("a", -2).member("b", true).key("c").begin_array();
    cbor.blob(as_bytes("hi")).number(24).number(1'000'000).end_array();
    cbor.member("t", from_millis(1'700'000'000'007)).end_object();
    // RFC 8949, appendix A has the same items.
    std::string hex;
    for (const char byte : out)
        hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    CHECK(hex ==
          "bf616121"
          "6162f5"
          "61639f"
          "426869"
          "1818"
          "1a000f4240"
          "ff"
          "6174c11b0000018bcfe56807"
          "ff");
}

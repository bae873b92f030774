#include "engine/kinesis/json_writer.h"

#include <doctest/doctest.h>

#include "engine/kinesis/error_map.h"
#include "engine/kinesis/json_document.h"

using namespace tidemill;
using namespace tidemill::kinesis;

TEST_CASE("the writer sets commas, escapes and fractions of seconds") {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("a", 1).member("b", true).member("c", std::string_view("\"\n\x01ü"));
    json.key("d")
        .begin_array()
        .number(-2)
        .base64(as_bytes("hi"))
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

TEST_CASE("every error of the engine has a name in the API, and only transient ones are 5xx") {
    std::size_t count = 0;
    const ErrcInfo* all = all_errors(count);
    for (std::size_t i = 0; i < count; ++i) {
        const ApiError error = to_api_error(Error(all[i].code, "text"));
        CHECK(error.type.ends_with("Exception"));
        CHECK(error.message == "text");
        if (all[i].code == Errc::NotFound) CHECK(error.type == "ResourceNotFoundException");
        if (all[i].code == Errc::InvalidArgument || all[i].code == Errc::Validation)
            CHECK(error.status == 400);
    }
}

#include <algorithm>

#include <doctest/doctest.h>

#include "engine/dynamodb/item_format.h"
#include "engine/dynamodb/key_order.h"
#include "expressions.h"

using namespace tidemill;
using namespace tidemill::dynamodb;

namespace {

constexpr std::string_view kAll =
    R"({"b":{"B":"AAH/"},"bs":{"BS":["AQ==","Ag=="]},"e":{"S":""},"l":{"L":[{"NULL":true},{"M":{"\"q\"":{"BOOL":false}}}]},"n":{"N":"-1.5"},"ns":{"NS":["-2","1"]},"s":{"S":"\u00fc\n"},"ss":{"SS":["a","b"]}})";

std::string refusal(std::string_view text) {
    const auto made = attribute_of(json(text));
    return made ? "taken" : made.error().message;
}

}  // namespace

TEST_CASE("all types of attributes go through JSON and the stored form and come back") {
    const Item whole = item(kAll);
    CHECK(item(text_of_item(whole)) == whole);
    CHECK(whole.at("s").bytes == "\xc3\xbc\n");
    const auto stored = encode_item(whole);
    const auto back = decode_item(stored);
    REQUIRE(back.has_value());
    CHECK(text_of_item(*back) == text_of_item(whole));
}

TEST_CASE("a stored item that was cut or altered anywhere is refused") {
    const auto stored = encode_item(item(kAll));
    for (std::size_t size = 0; size < stored.size(); ++size)
        REQUIRE_FALSE(decode_item(Bytes(stored).first(size)).has_value());
    for (std::size_t at = 0; at < stored.size(); ++at) {
        auto altered = stored;
        altered[at] ^= std::byte{4};
        REQUIRE(decode_item(altered).error().code == Errc::Corrupt);
    }
}

TEST_CASE("attribute values that DynamoDB does not take are refused in its words") {
    CHECK(refusal("{}").starts_with("Supplied AttributeValue is empty"));
    CHECK(refusal(R"({"S":"a","N":"1"})").starts_with("Supplied AttributeValue has more than one"));
    CHECK(refusal(R"({"SS":[]})") ==
          "One or more parameter values were invalid: An string set  may not be empty");
    CHECK(
        refusal(R"({"SS":["a","a"]})") ==
        "One or more parameter values were invalid: Input collection [a, a] contains duplicates.");
    CHECK(refusal(R"({"NS":["1","1.0"]})") == "Input collection contains duplicates");
    CHECK(refusal(R"({"NULL":false})") ==
          "One or more parameter values were invalid: Null attribute value types must have the "
          "value of true");
    CHECK(refusal(R"({"S":1})") == "NUMBER_VALUE cannot be converted to String");
    CHECK(refusal(R"({"BOOL":"true"})") == "STRING_VALUE cannot be converted to Boolean");
    std::string deep = R"({"S":"x"})";
    for (int i = 0; i < 32; ++i)
        deep = R"({"L":[)" + deep + "]}";
    CHECK(refusal(deep) == "taken");
    CHECK(refusal(R"({"L":[)" + deep + "]}") == "Nesting Levels have exceeded supported limits");
}

TEST_CASE("items are counted as DynamoDB counts them") {
    CHECK(size_of(item(R"({"ab":{"S":"\u00fc"}})")) == 4);
    CHECK(size_of(item(R"({"n":{"N":"12345"}})")) == 1 + 4);
    CHECK(size_of(item(R"({"n":{"N":"0"}})")) == 1 + 1);
    CHECK(size_of(item(R"({"l":{"L":[{"BOOL":true}]}})")) == 1 + 3 + 1 + 1);
}

TEST_CASE("keys order by range within one hash key, whatever bytes they hold") {
    const KeySchema key{{"h", Attribute::Kind::String}, KeyAttribute{"r", Attribute::Kind::Binary}};
    const auto place = [&](std::string_view h, std::string r) {
        Item one{{"h", Attribute::of_text(h)}};
        one["r"] = Attribute{.kind = Attribute::Kind::Binary, .bytes = std::move(r)};
        return order_key(key, one);
    };
    const std::vector<std::string> ranges = {std::string("\0", 1),
                                             std::string("\0\0", 2),
                                             std::string("\0\xff", 2),
                                             "a",
                                             std::string("a\0", 2),
                                             std::string("a\0\1", 3),
                                             "aa",
                                             "\xff"};
    std::vector<std::string> places;
    for (const auto& range : ranges)
        places.push_back(place("k", range));
    CHECK(std::ranges::is_sorted(places));
    const auto prefix = order_prefix(Attribute::of_text("k"));
    for (const auto& one : places)
        CHECK((one.starts_with(prefix) && one < order_end(Attribute::of_text("k"))));
    CHECK_FALSE(place(std::string_view("k\0", 2), "a").starts_with(prefix));
    CHECK(segment_begin(0, 3) == std::string(8, '\0'));
    CHECK(segment_begin(1, 3) < segment_begin(2, 3));
}

#include <doctest/doctest.h>

#include "engine/dynamodb/apply_update.h"
#include "engine/dynamodb/expression_parser.h"
#include "engine/dynamodb/legacy_parameters.h"
#include "expressions.h"

using namespace tidemill;
using namespace tidemill::dynamodb;

namespace {

constexpr std::string_view kScope = R"({"ExpressionAttributeNames":{"#n":"name"},
    "ExpressionAttributeValues":{":one":{"N":"1"},":x":{"S":"x"},":list":{"L":[{"N":"9"}]},
    ":set":{"SS":["b","c"]},":map":{"M":{}},":big":{"N":"99999999999999999999999999999999999999"}}})";
constexpr std::string_view kItem =
    R"({"k":{"S":"key"},"n":{"N":"5"},"s":{"SS":["a","b"]},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]},"m":{"M":{"deeper":{"N":"7"}}}})";

/// The item after it, or what it is refused with.
std::string after(std::string_view text, std::string_view before = kItem) {
    ExpressionScope placeholders = scope(kScope);
    const auto update = parse_update(text, placeholders);
    if (!update) return update.error().message;
    const auto made = updated(*update, item(before));
    return made ? text_of_item(*made) : made.error().message;
}

std::string after_legacy(std::string_view updates, std::string_view before = kItem) {
    const auto update = attribute_updates(json(updates));
    if (!update) return update.error().message;
    const auto made = updated(*update, item(before));
    return made ? text_of_item(*made) : made.error().message;
}

}  // namespace

TEST_CASE("SET stores, adds, appends, and reads what was there before") {
    CHECK(after("SET n = n + :one", R"({"n":{"N":"5"}})") == R"({"n":{"N":"6"}})");
    CHECK(after("SET n = :one - n", R"({"n":{"N":"5"}})") == R"({"n":{"N":"-4"}})");
    CHECK(after("SET a = n, n = :one", R"({"n":{"N":"5"}})") == R"({"a":{"N":"5"},"n":{"N":"1"}})");
    CHECK(after("SET n = if_not_exists(gone, :x)", "{}") == R"({"n":{"S":"x"}})");
    CHECK(after("SET n = if_not_exists(n, :x) + :one", R"({"n":{"N":"5"}})") ==
          R"({"n":{"N":"6"}})");
    CHECK(after("SET l = list_append(l, :list)", R"({"l":{"L":[{"N":"0"}]}})") ==
          R"({"l":{"L":[{"N":"0"},{"N":"9"}]}})");
    CHECK(after("SET l[9] = :x, l[0] = :one", R"({"l":{"L":[{"N":"0"}]}})") ==
          R"({"l":{"L":[{"N":"1"},{"S":"x"}]}})");
    CHECK(after("SET m.#n = :x", R"({"m":{"M":{}}})") == R"({"m":{"M":{"name":{"S":"x"}}}})");
}

TEST_CASE("REMOVE takes attributes and elements by the indexes of before") {
    CHECK(after("REMOVE n, gone", R"({"n":{"N":"5"}})") == "{}");
    CHECK(after("REMOVE l[0], l[2]", R"({"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]}})") ==
          R"({"l":{"L":[{"N":"1"}]}})");
    CHECK(after("REMOVE m.deeper SET a = :x", R"({"m":{"M":{"deeper":{"N":"7"}}}})") ==
          R"({"a":{"S":"x"},"m":{"M":{}}})");
}

TEST_CASE("ADD and DELETE change numbers and sets") {
    CHECK(after("ADD n :one, made :one", R"({"n":{"N":"5"}})") ==
          R"({"made":{"N":"1"},"n":{"N":"6"}})");
    CHECK(after("ADD s :set", R"({"s":{"SS":["a","b"]}})") == R"({"s":{"SS":["a","b","c"]}})");
    CHECK(after("DELETE s :set", R"({"s":{"SS":["a","b"]}})") == R"({"s":{"SS":["a"]}})");
    CHECK(after("DELETE s :set", R"({"s":{"SS":["b","c"]}})") == "{}");
    CHECK(after("DELETE gone :set", "{}") == "{}");
}

TEST_CASE("updates that cannot be are refused in DynamoDB's words") {
    CHECK(after("") == "Invalid UpdateExpression: The expression can not be empty;");
    CHECK(after("SET n :one") ==
          "Invalid UpdateExpression: Syntax error; token: \":one\", near: \"n :one\"");
    CHECK(after("SET a = :x SET b = :x") ==
          "Invalid UpdateExpression: The \"SET\" section can only be used once in an update "
          "expression;");
    CHECK(after("SET m = :x, m.deeper = :x") ==
          "Invalid UpdateExpression: Two document paths overlap with each other; must remove or "
          "rewrite one of these paths; path one: [m], path two: [m, deeper]");
    CHECK(after("SET m.deeper = :x REMOVE m[0]") ==
          "Invalid UpdateExpression: Two document paths conflict with each other; must remove or "
          "rewrite one of these paths; path one: [m, deeper], path two: [m, [0]]");
    CHECK(after("SET gone.a = :x") ==
          "The document path provided in the update expression is invalid for update");
    CHECK(after("SET a = gone + :one") ==
          "The provided expression refers to an attribute that does not exist in the item");
    CHECK(after("SET a = k + :one") ==
          "An operand in the update expression has an incorrect data type");
    CHECK(after("ADD k :one") == "An operand in the update expression has an incorrect data type");
    CHECK(after("SET a = :x + :one") ==
          "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or "
          "function: +, operand type: S");
    CHECK(after("ADD a :x") ==
          "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: "
          "ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND");
    CHECK(after("SET a = if_not_exists(:x, n)") ==
          "Invalid UpdateExpression: Operator or function requires a document path; operator or "
          "function: if_not_exists");
    CHECK(after("SET a = size(n)") ==
          "Invalid UpdateExpression: Invalid function name; function: size");
    CHECK(
        after("SET n = n + :big", R"({"n":{"N":"0.5"}})").starts_with("Attempting to store more"));
}

TEST_CASE("AttributeUpdates put, add and delete as their elder clients expect") {
    CHECK(after_legacy(R"({"n":{"Action":"ADD","Value":{"N":"2"}},"a":{"Value":{"S":"x"}}})",
                       R"({"n":{"N":"5"}})") == R"({"a":{"S":"x"},"n":{"N":"7"}})");
    CHECK(after_legacy(R"({"n":{"Action":"DELETE"}})", R"({"n":{"N":"5"}})") == "{}");
    CHECK(after_legacy(R"({"s":{"Action":"DELETE","Value":{"SS":["a"]}}})",
                       R"({"s":{"SS":["a","b"]}})") == R"({"s":{"SS":["b"]}})");
    CHECK(after_legacy(R"({"l":{"Action":"ADD","Value":{"L":[{"N":"1"}]}}})",
                       R"({"l":{"L":[{"N":"0"}]}})") == R"({"l":{"L":[{"N":"0"},{"N":"1"}]}})");
    CHECK(after_legacy(R"({"k":{"Action":"ADD","Value":{"N":"1"}}})") ==
          "Type mismatch for attribute to update");
    CHECK(after_legacy(R"({"k":{"Action":"PUT"}})") ==
          "One or more parameter values were invalid: Only DELETE action is allowed when no "
          "attribute value is specified");
}

TEST_CASE("projections keep the shape around what they take") {
    ExpressionScope placeholders = scope(kScope);
    const auto paths = parse_projection("l[2], m.deeper, l[0], gone.x, k", placeholders);
    REQUIRE(paths.has_value());
    CHECK(text_of_item(project(item(kItem), *paths)) ==
          R"({"k":{"S":"key"},"l":{"L":[{"N":"0"},{"N":"2"}]},"m":{"M":{"deeper":{"N":"7"}}}})");
    CHECK(parse_projection("a, a.b", placeholders).error().message ==
          "Invalid ProjectionExpression: Two document paths overlap with each other; must remove "
          "or rewrite one of these paths; path one: [a], path two: [a, b]");
}

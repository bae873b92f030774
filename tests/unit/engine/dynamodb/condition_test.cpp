#include <doctest/doctest.h>

#include "engine/dynamodb/condition_check.h"
#include "engine/dynamodb/expression_parser.h"
#include "expressions.h"

using namespace tidemill;
using namespace tidemill::dynamodb;

namespace {

constexpr std::string_view kScope = R"({"ExpressionAttributeNames":{"#n":"name","#k":"a.b"},
    "ExpressionAttributeValues":{":one":{"N":"1.0"},":two":{"N":"2"},":ten":{"N":"10"},
    ":x":{"S":"x"},":xyz":{"S":"xyz"},":y":{"S":"y"},":true":{"BOOL":true},":set":{"SS":["b","a"]},
    ":S":{"S":"S"},":M":{"S":"M"},":odd":{"S":"odd"},":b":{"B":"eHk="}}})";
constexpr std::string_view kItem = R"({"a":{"N":"1"},"name":{"S":"xyz"},"a.b":{"S":"dotted"},
    "l":{"L":[{"S":"x"},{"M":{"deep":{"N":"2"}}}]},"s":{"SS":["a","b"]},"n":{"NULL":true},
    "m":{"M":{"a":{"N":"1"}}},"t":{"BOOL":true},"bin":{"B":"eHl6"}})";

bool is_true(std::string_view text) {
    ExpressionScope placeholders = scope(kScope);
    const auto condition = parse_condition(text, "ConditionExpression", placeholders);
    REQUIRE_MESSAGE(condition.has_value(), condition.error().message);
    return holds(*condition, item(kItem));
}

std::string refusal(std::string_view text) {
    ExpressionScope placeholders = scope(kScope);
    const auto condition = parse_condition(text, "ConditionExpression", placeholders);
    if (condition) return "taken";
    CHECK(condition.error().type == "ValidationException");
    std::string_view message = condition.error().message;
    constexpr std::string_view kBegin = "Invalid ConditionExpression: ";
    REQUIRE(message.starts_with(kBegin));
    return std::string(message.substr(kBegin.size()));
}

}  // namespace

TEST_CASE("comparisons hold for values of one type alone") {
    CHECK(is_true("a = :one"));
    CHECK_FALSE(is_true("a <> :one"));
    CHECK(is_true("a < :ten AND :ten > a AND a <= :one and a >= :one"));
    CHECK_FALSE(is_true("a = :x"));
    CHECK(is_true("a <> :x"));
    CHECK_FALSE(is_true("a < :x OR a > :x"));
    CHECK(is_true("s = :set"));
    CHECK(is_true("t = :true"));
    CHECK(is_true("a = m.a"));
    CHECK(is_true("l[1].deep = :two"));
    CHECK(is_true("#k <> #n"));
}

TEST_CASE("what an item lacks is equal to nothing and unequal to everything") {
    CHECK_FALSE(is_true("gone = :one"));
    CHECK(is_true("gone <> :one"));
    CHECK_FALSE(is_true("gone < :one"));
    CHECK_FALSE(is_true("gone BETWEEN :one AND :two"));
    CHECK_FALSE(is_true("gone IN (:one, :two)"));
    CHECK_FALSE(is_true("size(gone) > :one"));
    CHECK(
        is_true("attribute_not_exists(gone) AND attribute_not_exists(l[7]) AND "
                "attribute_not_exists(m.gone)"));
    CHECK(is_true("attribute_exists(l[1].deep)"));
}

TEST_CASE("functions") {
    CHECK(is_true("begins_with(#n, :x)"));
    CHECK_FALSE(is_true("begins_with(#n, :y)"));
    CHECK(is_true("begins_with(bin, :b)"));
    CHECK(is_true("contains(#n, :y)"));
    CHECK(is_true("contains(l, :x)"));
    CHECK(is_true("attribute_type(#n, :S) AND attribute_type(m, :M)"));
    CHECK(is_true("size(#n) > :two AND size(s) = :two AND size(l) = :two AND size(m) = :one"));
    CHECK_FALSE(is_true("size(a) > :one"));
}

TEST_CASE("AND binds closer than OR, NOT closest; keywords in any case") {
    CHECK(is_true("a = :one OR a = :two AND a = :ten"));
    CHECK_FALSE(is_true("(a = :one OR a = :two) AND a = :ten"));
    CHECK(is_true("not a = :two and NOT (a = :ten)"));
    CHECK(is_true("a between :one And :ten AnD a iN (:two, :one)"));
    CHECK(is_true("(a) = (:one) AND ((a = :one) OR (a = :two))"));
    CHECK(is_true("NOT NOT a = :one"));
}

TEST_CASE("malformed conditions are refused in DynamoDB's words") {
    CHECK(refusal("") == "The expression can not be empty;");
    CHECK(refusal("a = ") == "Syntax error; token: \"<EOF>\", near: \"= \"");
    CHECK(refusal("a ! :one") == "Syntax error; token: \"!\", near: \"a !\"");
    CHECK(refusal("a = :one b") == "Syntax error; token: \"b\", near: \":one b\"");
    CHECK(refusal("a = :gone") ==
          "An expression attribute value used in expression is not defined; attribute value: "
          ":gone");
    CHECK(refusal("#gone = :one") ==
          "An expression attribute name used in the document path is not defined; attribute name: "
          "#gone");
    CHECK(refusal("name = :x") == "Attribute name is a reserved keyword; reserved keyword: name");
    CHECK(refusal("((a = :one))") == "The expression has redundant parentheses;");
    CHECK(refusal("guess(a)") == "Invalid function name; function: guess");
    CHECK(refusal("size(a)") ==
          "The function is not allowed to be used this way in an expression; function: size");
    CHECK(refusal("contains(a, :x) = :true") == "Syntax error; token: \"=\", near: \") = :true\"");
    CHECK(refusal("attribute_exists(a, b)") ==
          "Incorrect number of operands for operator or function; operator or function: "
          "attribute_exists, number of operands: 2");
    CHECK(refusal("attribute_exists(:x)") ==
          "Operator or function requires a document path; operator or function: attribute_exists");
    CHECK(refusal("begins_with(a, :one)") ==
          "Incorrect operand type for operator or function; operator or function: begins_with, "
          "operand type: N");
    CHECK(refusal("a < :true") ==
          "Incorrect operand type for operator or function; operator: <, operand type: BOOL");
    CHECK(refusal("attribute_type(a, :odd)") ==
          "Invalid attribute type name found; type: odd, valid types: "
          "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}");
    CHECK(refusal("a = a") ==
          "The first operand must be distinct from the remaining operands for this operator or "
          "function; operator: =, first operand: [a]");
    CHECK(refusal("a BETWEEN :ten AND :one") ==
          "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
          "lower bound operand: AttributeValue: {N:10}, upper bound operand: AttributeValue: "
          "{N:1}");
    CHECK(refusal("a BETWEEN :one AND :x") ==
          "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
          "operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:x}");
    CHECK(refusal(std::string(5000, 'a')).starts_with("Expression size has exceeded"));
    std::string deep;
    for (int i = 0; i < 900; ++i)
        deep += "NOT ";
    CHECK(refusal(deep + "a = :one") != "taken");
}

TEST_CASE("placeholders that no expression uses are refused") {
    ExpressionScope placeholders = scope(
        R"({"ExpressionAttributeNames":{"#a":"a"},"ExpressionAttributeValues":{":b":{"S":""}}})");
    CHECK(placeholders.all_used().error().message ==
          "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}");
    CHECK(parse_condition("#a = #a.b", "FilterExpression", placeholders).has_value());
    CHECK(placeholders.all_used().error().message ==
          "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}");
    CHECK(parse_condition("#a = :b", "FilterExpression", placeholders).has_value());
    CHECK(placeholders.all_used().has_value());
    CHECK_THROWS_WITH(scope(R"({"ExpressionAttributeValues":{}})"),
                      "ExpressionAttributeValues must not be empty");
}

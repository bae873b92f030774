#include <doctest/doctest.h>

#include "engine/dynamodb/condition_check.h"
#include "engine/dynamodb/legacy_parameters.h"
#include "expressions.h"

using namespace tidemill;
using namespace tidemill::dynamodb;

namespace {

bool is_true(std::string_view expected, std::string_view of, std::string_view with = "AND") {
    const auto condition = expected_condition(json(expected), with);
    REQUIRE_MESSAGE(condition.has_value(), condition.error().message);
    return holds(*condition, item(of));
}
std::string refusal(std::string_view expected) {
    const auto condition = expected_condition(json(expected), "AND");
    return condition ? "taken" : condition.error().message;
}

}  // namespace

TEST_CASE("Expected as KCL sends it: owner and counter unchanged, or no item at all") {
    constexpr std::string_view kLease = R"({"leaseOwner":{"S":"w1"},"leaseCounter":{"N":"7"}})";
    CHECK(is_true(R"({"leaseCounter":{"Value":{"N":"7"}},"leaseOwner":{"Value":{"S":"w1"}}})",
                  kLease));
    CHECK_FALSE(is_true(R"({"leaseCounter":{"Value":{"N":"8"}}})", kLease));
    CHECK(is_true(R"({"leaseKey":{"Exists":false}})", kLease));
    CHECK_FALSE(is_true(R"({"leaseOwner":{"Exists":false}})", kLease));
    CHECK(is_true(R"({"leaseOwner":{"Exists":true,"Value":{"S":"w1"}}})", kLease));
    CHECK(is_true(R"({"leaseOwner":{"Value":{"S":"w2"}},"leaseCounter":{"Value":{"N":"7"}}})",
                  kLease, "OR"));
}

TEST_CASE("the comparison operators of before expressions") {
    constexpr std::string_view kOne = R"({"n":{"N":"5"},"s":{"S":"abc"},"ss":{"SS":["a","b"]}})";
    CHECK(is_true(
        R"({"n":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"N":"1"},{"N":"5"}]}})",
        kOne));
    CHECK(is_true(R"({"n":{"ComparisonOperator":"IN","AttributeValueList":[{"N":"1"},{"N":"5"}]}})",
                  kOne));
    CHECK(is_true(R"({"s":{"ComparisonOperator":"BEGINS_WITH","AttributeValueList":[{"S":"ab"}]}})",
                  kOne));
    CHECK(is_true(R"({"ss":{"ComparisonOperator":"CONTAINS","AttributeValueList":[{"S":"a"}]}})",
                  kOne));
    CHECK_FALSE(is_true(
        R"({"ss":{"ComparisonOperator":"NOT_CONTAINS","AttributeValueList":[{"S":"a"}]}})", kOne));
    CHECK(is_true(R"({"x":{"ComparisonOperator":"NULL"},"n":{"ComparisonOperator":"NOT_NULL"}})",
                  kOne));
    CHECK(is_true(R"({"n":{"ComparisonOperator":"GT","Value":{"N":"4"}}})", kOne));
    CHECK_FALSE(is_true(R"({"n":{"ComparisonOperator":"LE","Value":{"N":"4"}}})", kOne));
    CHECK(is_true(R"({"n":{"ComparisonOperator":"NE","Value":{"N":"4"}}})", kOne));
}

TEST_CASE("malformed expectations are refused in DynamoDB's words") {
    const std::string begin = "One or more parameter values were invalid: ";
    CHECK(refusal(R"({"a":{}})") ==
          begin + "Value must be provided when Exists is null for Attribute: a");
    CHECK(refusal(R"({"a":{"Exists":true}})") ==
          begin + "Value must be provided when Exists is true for Attribute: a");
    CHECK(refusal(R"({"a":{"Exists":false,"Value":{"S":"x"}}})") ==
          begin + "Value cannot be used when Exists is false for Attribute: a");
    CHECK(refusal(R"({"a":{"Exists":true,"ComparisonOperator":"NULL"}})") ==
          begin + "Exists and ComparisonOperator cannot be used together for Attribute: a");
    CHECK(refusal(R"({"a":{"AttributeValueList":[{"S":"x"}]}})") ==
          begin + "AttributeValueList can only be used with a ComparisonOperator for Attribute: a");
    CHECK(refusal(R"({"a":{"ComparisonOperator":"BETWEEN","Value":{"S":"x"}}})") ==
          begin + "Invalid number of argument(s) for the BETWEEN ComparisonOperator");
    CHECK(refusal(R"({"a":{"ComparisonOperator":"LT","AttributeValueList":[{"SS":["x"]}]}})") ==
          begin + "ComparisonOperator LT is not valid for SS AttributeValue type");
}

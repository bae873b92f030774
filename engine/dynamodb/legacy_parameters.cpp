#include "engine/dynamodb/legacy_parameters.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/attribute_json.h"

namespace tidemill::dynamodb {
namespace {

using aws::ApiResult;
using aws::ApiStatus;
using aws::Value;
using Kind = Condition::Kind;

std::unexpected<aws::ApiError> invalid(std::string what) {
    return aws::refuse("ValidationException",
                       "One or more parameter values were invalid: " + std::move(what));
}

struct Comparison {
    std::string_view name;
    Kind kind;
    std::size_t least, most;  // arguments
    bool is_negated = false;
};
constexpr Comparison kComparisons[] = {{"EQ", Kind::Equal, 1, 1},
                                       {"NE", Kind::NotEqual, 1, 1},
                                       {"LT", Kind::Less, 1, 1},
                                       {"LE", Kind::LessOrEqual, 1, 1},
                                       {"GT", Kind::Greater, 1, 1},
                                       {"GE", Kind::GreaterOrEqual, 1, 1},
                                       {"BETWEEN", Kind::Between, 2, 2},
                                       {"IN", Kind::In, 1, 100},
                                       {"NULL", Kind::AttributeNotExists, 0, 0},
                                       {"NOT_NULL", Kind::AttributeExists, 0, 0},
                                       {"CONTAINS", Kind::Contains, 1, 1},
                                       {"NOT_CONTAINS", Kind::Contains, 1, 1, true},
                                       {"BEGINS_WITH", Kind::BeginsWith, 1, 1}};

Condition of_attribute(Kind kind, const std::string& name, std::vector<Attribute> arguments) {
    Condition made{.kind = kind};
    made.operands.push_back(
        {.kind = Operand::Kind::Path, .path = DocumentPath{{PathStep{.name = name}}}});
    for (auto& one : arguments)
        made.operands.push_back({.kind = Operand::Kind::Value, .value = std::move(one)});
    return made;
}

ApiStatus check_arguments(const Comparison& comparison, const std::vector<Attribute>& arguments) {
    if (arguments.size() < comparison.least || arguments.size() > comparison.most)
        return invalid(fmt::format("Invalid number of argument(s) for the {} ComparisonOperator",
                                   comparison.name));
    const bool is_ordered = (comparison.kind >= Kind::Less && comparison.kind <= Kind::Between) ||
                            comparison.kind == Kind::BeginsWith;
    for (const auto& one : arguments) {
        const bool is_wrong =
            (is_ordered && !one.is_scalar()) ||
            (comparison.kind == Kind::BeginsWith && one.kind == Attribute::Kind::Number) ||
            (comparison.kind == Kind::Contains && !one.is_scalar());
        if (is_wrong)
            return invalid(
                fmt::format("ComparisonOperator {} is not valid for {} AttributeValue type",
                            comparison.name, kind_name(one.kind)));
    }
    if (comparison.kind == Kind::Between) {
        if (arguments[0].kind != arguments[1].kind)
            return invalid(
                "AttributeValues inside AttributeValueList must all be of the same "
                "type");
        if (compare(arguments[0], arguments[1]) > 0)
            return invalid(
                "The BETWEEN condition was provided a range where the lower bound is greater than "
                "the upper bound");
    }
    return {};
}

ApiResult<Condition> comparison_of(const std::string& name, std::string_view comparison_name,
                                   std::vector<Attribute> arguments) {
    const auto* comparison = std::ranges::find(kComparisons, comparison_name, &Comparison::name);
    if (comparison == std::end(kComparisons))
        return aws::refuse(
            "ValidationException",
            fmt::format("1 validation error detected: Value '{}' at 'comparisonOperator' failed "
                        "to satisfy constraint: Member must satisfy enum value set: [IN, NULL, "
                        "BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, "
                        "CONTAINS]",
                        comparison_name));
    TRY(check_arguments(*comparison, arguments));
    Condition made = of_attribute(comparison->kind, name, std::move(arguments));
    if (!comparison->is_negated) return made;
    Condition negated{.kind = Kind::Not};
    negated.parts.push_back(std::move(made));
    return negated;
}

ApiResult<std::vector<Attribute>> arguments_of(const Value& condition) {
    std::vector<Attribute> arguments;
    const Value* list = condition.find("AttributeValueList");
    if (list == nullptr) return arguments;
    if (list->list() == nullptr)
        return aws::refuse("SerializationException", "Expected list or null");
    for (const auto& one : *list->list()) {
        ASSIGN(Attribute argument, attribute_of(one));
        arguments.push_back(std::move(argument));
    }
    return arguments;
}

ApiResult<Condition> expectation_of(const std::string& name, const Value& expectation) {
    const std::string_view comparison = expectation.text_or("ComparisonOperator", "");
    const Value* value = expectation.find("Value");
    const Value* exists = expectation.find("Exists");
    const bool has_list = expectation.find("AttributeValueList") != nullptr;
    if (!comparison.empty()) {
        if (exists != nullptr)
            return invalid("Exists and ComparisonOperator cannot be used together for Attribute: " +
                           name);
        if (has_list && value != nullptr)
            return invalid("Value and AttributeValueList cannot be used together for Attribute: " +
                           name);
        ASSIGN(auto arguments, arguments_of(expectation));
        if (value != nullptr) {
            ASSIGN(Attribute argument, attribute_of(*value));
            arguments.push_back(std::move(argument));
        }
        return comparison_of(name, comparison, std::move(arguments));
    }
    if (has_list)
        return invalid(
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: " + name);
    if (exists != nullptr && exists->boolean() == nullptr)
        return aws::refuse("SerializationException", "STRING_VALUE cannot be converted to Boolean");
    const bool must_exist = exists == nullptr || *exists->boolean();
    if (must_exist && value == nullptr)
        return invalid(fmt::format("Value must be provided when Exists is {} for Attribute: {}",
                                   exists == nullptr ? "null" : "true", name));
    if (!must_exist && value != nullptr)
        return invalid("Value cannot be used when Exists is false for Attribute: " + name);
    if (!must_exist) return of_attribute(Kind::AttributeNotExists, name, {});
    ASSIGN(Attribute argument, attribute_of(*value));
    std::vector<Attribute> arguments;
    arguments.push_back(std::move(argument));
    return of_attribute(Kind::Equal, name, std::move(arguments));
}

template <class Make>
ApiResult<Condition> all_of(const Value& conditions, std::string_view conditional_operator,
                            Make make) {
    if (conditions.map() == nullptr)
        return aws::refuse("SerializationException", "Expected map or null");
    Condition made{.kind = conditional_operator == "OR" ? Kind::Or : Kind::And};
    for (const auto& [name, condition] : *conditions.map()) {
        if (condition.map() == nullptr)
            return aws::refuse("SerializationException", "Expected map or null");
        ASSIGN(Condition part, make(name, condition));
        made.parts.push_back(std::move(part));
    }
    if (made.parts.empty()) made.kind = Kind::And;
    return made;
}

}  // namespace

ApiResult<Condition> expected_condition(const Value& expected,
                                        std::string_view conditional_operator) {
    return all_of(expected, conditional_operator, expectation_of);
}

ApiResult<Condition> filter_condition(const Value& filter, std::string_view conditional_operator) {
    return all_of(filter, conditional_operator,
                  [](const std::string& name, const Value& condition) -> ApiResult<Condition> {
                      ASSIGN(auto arguments, arguments_of(condition));
                      return comparison_of(name, condition.text_or("ComparisonOperator", ""),
                                           std::move(arguments));
                  });
}

ApiResult<Update> attribute_updates(const Value& updates) {
    if (updates.map() == nullptr)
        return aws::refuse("SerializationException", "Expected map or null");
    Update update{.is_legacy = true};
    for (const auto& [name, change] : *updates.map()) {
        if (change.map() == nullptr)
            return aws::refuse("SerializationException", "Expected map or null");
        const DocumentPath path{{PathStep{.name = name}}};
        const std::string_view action = change.text_or("Action", "PUT");
        const Value* given = change.find("Value");
        if (given == nullptr) {
            if (action != "DELETE")
                return invalid(
                    "Only DELETE action is allowed when no attribute value is specified");
            update.removes.push_back(path);
            continue;
        }
        ASSIGN(Attribute value, attribute_of(*given));
        if (action == "PUT") {
            update.sets.push_back(
                {path, {.kind = UpdateValue::Kind::Value, .value = std::move(value)}});
        } else if (action == "ADD") {
            if (!value.is_set() && value.kind != Attribute::Kind::Number &&
                value.kind != Attribute::Kind::List)
                return invalid(fmt::format("ADD action is not supported for the type {}",
                                           kind_name(value.kind)));
            update.adds.push_back({path, std::move(value)});
        } else if (action == "DELETE") {
            if (!value.is_set())
                return invalid(
                    fmt::format("DELETE action with value is not supported for the type {}",
                                kind_name(value.kind)));
            update.deletes.push_back({path, std::move(value)});
        } else {
            return aws::refuse(
                "ValidationException",
                fmt::format("1 validation error detected: Value '{}' at "
                            "'attributeUpdates.{}.member.action' failed to satisfy constraint: "
                            "Member must satisfy enum value set: [ADD, DELETE, PUT]",
                            action, name));
        }
    }
    return update;
}

ApiResult<std::vector<DocumentPath>> attributes_to_get(const Value& names) {
    std::vector<DocumentPath> paths;
    if (names.list() == nullptr)
        return aws::refuse("SerializationException", "Expected list or null");
    for (const auto& name : *names.list()) {
        if (name.text() == nullptr)
            return aws::refuse("SerializationException",
                               "NUMBER_VALUE cannot be converted to String");
        DocumentPath path{{PathStep{.name = *name.text()}}};
        if (std::ranges::find(paths, path) != paths.end())
            return invalid(fmt::format("Duplicate value in attribute name: {}", *name.text()));
        paths.push_back(std::move(path));
    }
    return paths;
}

}  // namespace tidemill::dynamodb

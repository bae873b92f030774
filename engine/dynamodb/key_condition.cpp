#include "engine/dynamodb/key_condition.h"

#include <fmt/format.h>

#include "engine/base/result.h"

namespace tidemill::dynamodb {
namespace {

using aws::ApiResult;
using aws::ApiStatus;
using Kind = Condition::Kind;

std::unexpected<aws::ApiError> invalid(std::string message) {
    return aws::refuse("ValidationException", std::move(message));
}

/// All parts of nested ANDs.
void flatten(const Condition& condition, std::vector<const Condition*>& to) {
    if (condition.kind != Kind::And) return to.push_back(&condition);
    for (const auto& part : condition.parts)
        flatten(part, to);
}

/// "path operator value", turned round when it is written the other way.
ApiResult<Condition> simple(const Condition& condition, KeyConditionForm form) {
    Condition made = condition;
    const bool is_allowed = made.kind == Kind::Equal || made.kind == Kind::BeginsWith ||
                            (made.kind >= Kind::Less && made.kind <= Kind::Between);
    if (!is_allowed) {
        if (form == KeyConditionForm::Legacy)
            return invalid("Attempted conditional constraint is not an indexable operation");
        if (made.kind >= Kind::AttributeExists || made.kind == Kind::Or || made.kind == Kind::Not ||
            made.kind == Kind::NotEqual || made.kind == Kind::In)
            return invalid(fmt::format("Invalid operator used in KeyConditionExpression: {}",
                                       operator_name(made.kind)));
    }
    if (made.operands.size() == 2 && made.kind != Kind::BeginsWith &&
        made.operands[0].kind == Operand::Kind::Value) {
        std::swap(made.operands[0], made.operands[1]);
        constexpr std::pair<Kind, Kind> kTurned[] = {{Kind::Less, Kind::Greater},
                                                     {Kind::LessOrEqual, Kind::GreaterOrEqual},
                                                     {Kind::Greater, Kind::Less},
                                                     {Kind::GreaterOrEqual, Kind::LessOrEqual}};
        for (const auto& [from, to] : kTurned)
            if (condition.kind == from) made.kind = to;
    }
    if (made.operands[0].kind != Operand::Kind::Path || made.operands[0].path.steps.size() != 1)
        return invalid(
            "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on "
            "nested attributes");
    for (std::size_t i = 1; i < made.operands.size(); ++i)
        if (made.operands[i].kind != Operand::Kind::Value)
            return invalid("Query key condition not supported");
    return made;
}

ApiStatus check_types(const Condition& condition, const KeyAttribute& attribute) {
    for (std::size_t i = 1; i < condition.operands.size(); ++i) {
        const Attribute& value = condition.operands[i].value;
        if (value.kind != attribute.kind)
            return invalid(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type");
        if (value.kind != Attribute::Kind::Number && value.bytes.empty() &&
            condition.kind == Kind::Equal)
            return invalid(fmt::format(
                "One or more parameter values are not valid. The AttributeValue for a "
                "key attribute cannot contain an empty {} value. Key: {}",
                value.kind == Attribute::Kind::String ? "string" : "binary", attribute.name));
    }
    return {};
}

}  // namespace

ApiResult<KeyCondition> key_condition(const Condition& condition, const KeySchema& key,
                                      KeyConditionForm form) {
    std::vector<const Condition*> parts;
    flatten(condition, parts);
    std::optional<Condition> hash, range;
    for (const Condition* part : parts) {
        ASSIGN(Condition made, simple(*part, form));
        const std::string& name = made.operands[0].path.top();
        auto* place = name == key.hash.name                  ? &hash
                      : key.range && name == key.range->name ? &range
                                                             : nullptr;
        if (place == nullptr) {
            const bool is_for_range = key.range && parts.size() > 1;
            if (parts.size() > 1 && !key.range) return invalid("Query key condition not supported");
            return invalid(fmt::format("Query condition missed key schema element: {}",
                                       is_for_range ? key.range->name : key.hash.name));
        }
        if (*place)
            return invalid("KeyConditionExpressions must only contain one condition per key");
        *place = std::move(made);
    }
    if (!hash)
        return invalid(fmt::format("Query condition missed key schema element: {}", key.hash.name));
    if (hash->kind != Kind::Equal) return invalid("Query key condition not supported");
    TRY(check_types(*hash, key.hash));
    KeyCondition made{hash->operands[1].value};
    if (!range) return made;
    TRY(check_types(*range, *key.range));
    if (range->kind != Kind::Less && range->kind != Kind::LessOrEqual)
        made.low = range->operands[1].value;
    made.range = std::move(range);
    return made;
}

}  // namespace tidemill::dynamodb

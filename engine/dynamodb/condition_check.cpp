#include "engine/dynamodb/condition_check.h"

#include <algorithm>

#include "engine/aws/shape.h"

namespace tidemill::dynamodb {
namespace {

using Kind = Condition::Kind;

/// The value of an operand; `made` holds it when the item does not. Null: there is none.
const Attribute* value_of(const Operand& operand, const Item& item, Attribute& made) {
    if (operand.kind == Operand::Kind::Value) return &operand.value;
    const Attribute* found = find(item, operand.path);
    if (operand.kind == Operand::Kind::Path || found == nullptr) return found;
    std::size_t size = 0;
    switch (found->kind) {
        case Attribute::Kind::String:
            size = aws::character_count(found->bytes);
            break;
        case Attribute::Kind::Binary:
            size = found->bytes.size();
            break;
        case Attribute::Kind::Map:
            size = found->members.size();
            break;
        case Attribute::Kind::Number:
        case Attribute::Kind::Boolean:
        case Attribute::Kind::Null:
            return nullptr;
        default:
            size = found->elements.size();
            break;
    }
    made = Attribute::of_number(static_cast<std::int64_t>(size));
    return &made;
}

bool compares(Kind kind, const Attribute& a, const Attribute& b) {
    if (a.kind != b.kind || !a.is_scalar()) return false;
    const auto order = compare(a, b);
    switch (kind) {
        case Kind::Less:
            return order < 0;
        case Kind::LessOrEqual:
            return order <= 0;
        case Kind::Greater:
            return order > 0;
        default:
            return order >= 0;
    }
}

bool contains(const Attribute& whole, const Attribute& part) {
    if (whole.kind == Attribute::Kind::String || whole.kind == Attribute::Kind::Binary)
        return part.kind == whole.kind && whole.bytes.find(part.bytes) != std::string::npos;
    return std::ranges::find(whole.elements, part) != whole.elements.end();
}

bool begins(const Attribute& whole, const Attribute& part) {
    const bool has_bytes =
        whole.kind == Attribute::Kind::String || whole.kind == Attribute::Kind::Binary;
    return has_bytes && whole.kind == part.kind && whole.bytes.starts_with(part.bytes);
}

bool holds_of_operands(const Condition& condition, const Item& item) {
    std::vector<Attribute> made(condition.operands.size());
    std::vector<const Attribute*> values;
    for (std::size_t i = 0; i < made.size(); ++i)
        values.push_back(value_of(condition.operands[i], item, made[i]));
    const Attribute* first = values.front();
    switch (condition.kind) {
        case Kind::AttributeExists:
            return first != nullptr;
        case Kind::AttributeNotExists:
            return first == nullptr;
        case Kind::In:
            return first != nullptr &&
                   std::any_of(values.begin() + 1, values.end(), [&](const Attribute* one) {
                       return one != nullptr && *one == *first;
                   });
        case Kind::NotEqual:
            return first == nullptr || values[1] == nullptr || *first != *values[1];
        default:
            break;
    }
    if (std::ranges::find(values, nullptr) != values.end()) return false;
    const Attribute& second = *values[1];
    switch (condition.kind) {
        case Kind::Equal:
            return *first == second;
        case Kind::Between:
            return compares(Kind::GreaterOrEqual, *first, second) &&
                   compares(Kind::LessOrEqual, *first, *values[2]);
        case Kind::AttributeType:
            return kind_name(first->kind) == second.bytes;
        case Kind::BeginsWith:
            return begins(*first, second);
        case Kind::Contains:
            return contains(*first, second);
        default:
            return compares(condition.kind, *first, second);
    }
}

}  // namespace

bool holds(const Condition& condition, const Item& item) {
    const auto is_true = [&](const Condition& part) { return holds(part, item); };
    switch (condition.kind) {
        case Kind::And:
            return std::ranges::all_of(condition.parts, is_true);
        case Kind::Or:
            return std::ranges::any_of(condition.parts, is_true);
        case Kind::Not:
            return !holds(condition.parts.front(), item);
        default:
            return holds_of_operands(condition, item);
    }
}

}  // namespace tidemill::dynamodb

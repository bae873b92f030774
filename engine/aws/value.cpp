#include "engine/aws/value.h"

#include <cmath>

namespace tidemill::aws {

const Value* Value::find(std::string_view name) const {
    const Map* members = map();
    if (members == nullptr) return nullptr;
    for (auto member = members->rbegin(); member != members->rend(); ++member)
        if (member->name == name) return member->value.is_null() ? nullptr : &member->value;
    return nullptr;
}

std::string_view Value::text_or(std::string_view name, std::string_view otherwise) const {
    const Value* value = find(name);
    return value != nullptr && value->text() != nullptr ? std::string_view(*value->text())
                                                        : otherwise;
}

std::int64_t Value::integer_or(std::string_view name, std::int64_t otherwise) const {
    const Value* value = find(name);
    if (value == nullptr) return otherwise;
    if (const auto* whole = value->integer()) return *whole;
    if (const auto* real = value->real())
        return std::abs(*real) < 9e18 ? static_cast<std::int64_t>(std::floor(*real)) : INT64_MAX;
    return otherwise;
}

bool Value::boolean_or(std::string_view name, bool otherwise) const {
    const Value* value = find(name);
    return value != nullptr && value->boolean() != nullptr ? *value->boolean() : otherwise;
}

}  // namespace tidemill::aws

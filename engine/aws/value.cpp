#include "engine/aws/value.h"

#include <algorithm>
#include <cmath>

namespace tidemill::aws {

std::optional<double> Value::number() const {
    if (const auto* whole = integer()) return static_cast<double>(*whole);
    if (const auto* fraction = real()) return *fraction;
    return std::nullopt;
}

const std::string* Value::blob() const {
    const Blob* blob = std::get_if<Blob>(&content);
    return blob == nullptr ? nullptr : &blob->bytes;
}

Value* Value::find(std::string_view name) {
    Map* members = std::get_if<Map>(&content);
    if (members == nullptr) return nullptr;
    for (auto member = members->rbegin(); member != members->rend(); ++member)
        if (member->name == name) return member->value.is_null() ? nullptr : &member->value;
    return nullptr;
}

const Value* Value::find(std::string_view name) const {
    return const_cast<Value*>(this)->find(name);  // which changes nothing
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

std::string_view Value::blob_or(std::string_view name, std::string_view otherwise) const {
    const Value* value = find(name);
    return value != nullptr && value->blob() != nullptr ? std::string_view(*value->blob())
                                                        : otherwise;
}

std::optional<WallTime> Value::time_of(std::string_view name) const {
    const Value* value = find(name);
    if (value == nullptr || value->time() == nullptr) return std::nullopt;
    return *value->time();
}

WallTime time_of_millis(double millis) {
    return from_millis(std::llround(std::clamp(millis, -1e15, 1e15)));
}

}  // namespace tidemill::aws

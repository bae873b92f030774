#include "engine/dynamodb/expression_scope.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/dynamodb/attribute_json.h"

namespace tidemill::dynamodb {
namespace {

using aws::refuse;

/// `first`, then letters, digits and underscores, one at least.
bool is_placeholder(std::string_view text, char first) {
    if (text.size() < 2 || text[0] != first) return false;
    return std::ranges::all_of(text.substr(1), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

std::unexpected<aws::ApiError> malformed(std::string_view member, std::string_view key) {
    return refuse("ValidationException",
                  fmt::format("{} contains invalid key: Syntax error; key: \"{}\"", member, key));
}

}  // namespace

aws::ApiResult<ExpressionScope> ExpressionScope::of(const aws::Value& request) {
    ExpressionScope scope;
    if (const auto* names = request.find("ExpressionAttributeNames")) {
        if (names->map() == nullptr)
            return refuse("SerializationException", "Expected map or null");
        if (names->map()->empty())
            return refuse("ValidationException", "ExpressionAttributeNames must not be empty");
        for (const auto& [placeholder, name] : *names->map()) {
            if (name.text() == nullptr)
                return refuse("SerializationException",
                              "NUMBER_VALUE cannot be converted to String");
            if (!is_placeholder(placeholder, '#'))
                return malformed("ExpressionAttributeNames", placeholder);
            scope.names_[placeholder] = *name.text();
        }
    }
    if (const auto* values = request.find("ExpressionAttributeValues")) {
        if (values->map() == nullptr)
            return refuse("SerializationException", "Expected map or null");
        if (values->map()->empty())
            return refuse("ValidationException", "ExpressionAttributeValues must not be empty");
        for (const auto& [placeholder, value] : *values->map()) {
            if (!is_placeholder(placeholder, ':'))
                return malformed("ExpressionAttributeValues", placeholder);
            auto attribute = attribute_of(value);
            if (attribute) {
                scope.values_[placeholder] = std::move(*attribute);
                continue;
            }
            if (attribute.error().type == "SerializationException")
                return std::unexpected(attribute.error());
            return refuse("ValidationException",
                          fmt::format("ExpressionAttributeValues contains invalid value: {} for "
                                      "key {}",
                                      attribute.error().message, placeholder));
        }
    }
    return scope;
}

const std::string* ExpressionScope::name(std::string_view placeholder) {
    const auto found = names_.find(std::string(placeholder));
    if (found == names_.end()) return nullptr;
    used_.emplace(placeholder);
    return &found->second;
}

const Attribute* ExpressionScope::value(std::string_view placeholder) {
    const auto found = values_.find(placeholder);
    if (found == values_.end()) return nullptr;
    used_.emplace(placeholder);
    return &found->second;
}

aws::ApiStatus ExpressionScope::all_used() const {
    std::vector<std::string_view> left;
    const auto collect = [&](const auto& map) {
        left.clear();
        for (const auto& entry : map)
            if (!used_.contains(entry.first)) left.push_back(entry.first);
        return !left.empty();
    };
    if (collect(names_))
        return refuse("ValidationException",
                      fmt::format("Value provided in ExpressionAttributeNames unused in "
                                  "expressions: keys: {{{}}}",
                                  fmt::join(left, ", ")));
    if (collect(values_))
        return refuse("ValidationException",
                      fmt::format("Value provided in ExpressionAttributeValues unused in "
                                  "expressions: keys: {{{}}}",
                                  fmt::join(left, ", ")));
    return {};
}

}  // namespace tidemill::dynamodb

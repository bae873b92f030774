#pragma once

#include <string>

#include "engine/aws/document.h"
#include "engine/aws/json_document.h"
#include "engine/dynamodb/attribute_json.h"
#include "engine/dynamodb/expression_scope.h"

namespace tidemill::dynamodb {

/// From JSON as requests have it, as if its shape had been checked.
inline aws::Value json(std::string_view text) {
    auto value = aws::parse_json(text, 96);
    if (!value) throw std::runtime_error("bad JSON in a test: " + std::string(text));
    return std::move(*value);
}
inline Item item(std::string_view text) {
    auto made = item_of(json(text));
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
}
inline Attribute attribute(std::string_view text) {
    auto made = attribute_of(json(text));
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
}
inline std::string text_of_item(const Item& item) {
    std::string text;
    aws::DocumentWriter out(text, aws::Encoding::Json);
    write(out, item);
    return text;
}
/// {"ExpressionAttributeNames": ..., "ExpressionAttributeValues": ...}
inline ExpressionScope scope(std::string_view text) {
    auto made = ExpressionScope::of(json(text));
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
}

}  // namespace tidemill::dynamodb

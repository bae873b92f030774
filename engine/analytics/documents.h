#pragma once

#include <string>
#include <string_view>

#include "engine/aws/document_writer.h"
#include "engine/aws/value.h"

namespace tidemill::analytics {

using aws::Value;

// Building documents.
Value object();
Value text_value(std::string_view text);
Value number_value(std::int64_t number);
/// Sets a member, in place of one of that name.
void put(Value& object, std::string_view name, Value value);
void drop(Value& object, std::string_view name);
/// The member as a map; it is made when it is not there.
Value& child(Value& object, std::string_view name);
/// Down through maps; null when one is not there.
const Value* at_path(const Value& object, std::initializer_list<std::string_view> names);
std::string_view text_at(const Value& object, std::initializer_list<std::string_view> names);

void write_value(aws::DocumentWriter& out, const Value& value);
std::string json_of(const Value& value);

}  // namespace tidemill::analytics

#pragma once

#include <string>
#include <string_view>

#include "operators/vector/column.h"

namespace tidemill::sql {

/// Each appends a value to `column` in the column's type; false when the type cannot take it
/// (nothing is appended).

/// A text: parsed for numbers, dates and booleans; cut to length for VARCHAR(n).
bool append_text_as(Column& column, std::string_view text);
/// A number as it is written: "1.5e3".
bool append_number_as(Column& column, std::string_view number);
bool append_boolean_as(Column& column, bool value);

/// "'abc' does not fit column \"price\" (DOUBLE)".
std::string misfit(std::string_view value, std::string_view column, const Type& type);

}  // namespace tidemill::sql

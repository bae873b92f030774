#pragma once

#include <string>

#include "engine/base/json_text.h"
#include "operators/connect/record_decoder.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

/// Appends one row as a JSON object (no line break): column names as members, NULL as null, numbers
/// as numbers (doubles in the shortest form that reads back the same; NaN and infinities as null),
/// everything else as text.
void append_json_row(std::string& to, const Schema& schema, const Batch& batch, std::size_t row);
/// Appends one row as CSV without line break: NULL is an empty field, an empty text is "", quotes
/// where RFC 4180 needs them.
void append_csv_row(std::string& to, const Schema& schema, const Batch& batch, std::size_t row,
                    std::string_view delimiter = ",");
/// The column names as a CSV line without line break.
void append_csv_header(std::string& to, const Schema& schema, std::string_view delimiter = ",");
using tidemill::append_json_string;
/// One cell as a person reads it, "NULL" for a null.
std::string cell_text(const Column& column, std::size_t row);

}  // namespace tidemill::sql

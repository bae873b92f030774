#pragma once

#include <span>
#include <string>
#include <vector>

#include "operators/connect/record_layout.h"

namespace tidemill::sql {

/// What records turned out to hold.
struct DiscoveredInput {
    RecordLayout layout;  ///< JSON: with a path for every column
    Schema columns;       ///< names that SQL takes, types wide enough for more than the sample
    std::vector<std::vector<std::string>> rows;  ///< the sample's, as text; NULL is "NULL"
};

/// Looks for the format, the delimiters and the columns of sample records. JSON: nested members
/// become columns, the elements of the first array of objects become rows, other arrays text. CSV:
/// the delimiter is the one of , ; tab | that the first row has most of; a header is one when every
/// record begins with it, or when what follows it is plainly something else.
/// Types are BIGINT, DOUBLE, BOOLEAN, TIMESTAMP or VARCHAR of at least twice the longest text:
/// never a TINYINT because the sample's numbers were small.
/// Errors: InvalidArgument when nothing can be made of them.
Result<DiscoveredInput> discover_input(std::span<const std::string> records);

/// The name of column number `place` (from 1) for a member or header `name`: itself, or COL_ and
/// what can be kept of it when it is a reserved word, begins with a digit, has other characters
/// than letters, digits and _, or more than 100; COL_<place> when nothing can.
std::string column_name_for(std::string_view name, std::size_t place);

/// The columns and options as CREATE STREAM ... WITH (source = '<source>', ...) would declare them.
std::string create_stream_text(const DiscoveredInput& found, std::string_view stream,
                               std::string_view source);

}  // namespace tidemill::sql

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "operators/connect/row_decoder.h"

namespace tidemill::sql {

struct DiscoveredSchema {
    Schema schema;  ///< names as they are written in the data (quoted names in SQL)
    RowLayout layout;
};

/// Finds the columns of a sample: member names of JSON objects in order of appearance, or the
/// header line of a CSV text. Types are wide, so that later rows fit: BIGINT, DOUBLE, BOOLEAN,
/// TIMESTAMP (YYYY-MM-DD[ T]HH:MM[:SS[.fff]]) or VARCHAR; a column without any value is VARCHAR.
/// Errors: InvalidArgument when nothing can be made of the sample.
Result<DiscoveredSchema> discover_schema(RecordFormat format,
                                         const std::vector<std::string_view>& rows,
                                         const std::string& delimiter = ",");

/// JSON when the text begins with an object, else CSV. The delimiter is the one of , ; tab | that
/// the first line has most of.
RecordFormat guess_format(std::string_view text);
char guess_delimiter(std::string_view first_line);

}  // namespace tidemill::sql

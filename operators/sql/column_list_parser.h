#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/sql/ast.h"

namespace tidemill::sql {

/// `name TYPE type ['time format'] [NOT NULL] [START n [FOR length]]`
struct LogColumn {
    std::string name;
    Type type;
    std::optional<std::string> format;  ///< of a DATE, TIME or TIMESTAMP
    bool is_not_null = false;
    std::optional<std::size_t> start, length;
};

/// The list of columns that the log parsers take as a text, separated by commas.
/// Errors: their places are those in `text`.
SqlResult<std::vector<LogColumn>> parse_log_columns(std::string_view text);

}  // namespace tidemill::sql

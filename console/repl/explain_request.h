#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "operators/sql/sql_error.h"

namespace tidemill::console {

/// What a person asks with EXPLAIN:
///
///     EXPLAIN [ANALYZE] [SELECT ... | CREATE PUMP ...]     alone: all pumps so far
///     EXPLAIN [ANALYZE] PUMP name
///     EXPLAIN APPLICATION name                             as it runs in the broker
struct ExplainRequest {
    enum class What : std::uint8_t { Text, Pump, Application };
    What what = What::Text;
    bool is_measured = false;  ///< ANALYZE
    std::string text;          ///< the statement, at its place; empty when there is none
    std::string name;          ///< of the pump or the application
};

/// Nothing when `statement` does not begin with EXPLAIN. Errors: what does not follow EXPLAIN.
sql::SqlResult<std::optional<ExplainRequest>> read_explain(std::string_view statement);

}  // namespace tidemill::console

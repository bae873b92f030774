#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/sql/ast.h"
#include "operators/sql/sql_error.h"

namespace tidemill::sql {

/// How much an operator may keep whose groups never end by themselves.
struct StateLimits {
    static constexpr std::uint64_t kDefaultRows = 50'000'000;

    std::uint64_t rows = kDefaultRows;  ///< groups, rows and values of DISTINCT together
    std::int64_t ttl_millis = 0;        ///< a group without rows for longer starts anew; 0: never
    bool evicts = false;                ///< over `rows`: the oldest eighth goes, no row is refused

    /// ", at most 1000 rows, 3600000 ms", nothing for the defaults.
    std::string describe() const;
};

/// "90 seconds", "1 hour" in milliseconds; nothing if it is no time above 0 of fixed length.
std::optional<std::int64_t> parse_duration(std::string_view text);

/// state_limit = N, state_ttl = '90 seconds', state_full = 'refuse' | 'evict' of a SELECT.
/// Errors: other names (with the nearest one), values out of range.
SqlResult<StateLimits> read_state_limits(std::string_view sql_text,
                                         const std::vector<ast::StreamOption>& options);

}  // namespace tidemill::sql

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "operators/sql/sql_error.h"

namespace tidemill::sql {

/// DISCOVER SCHEMA FROM STREAM 'clicks' | FILE 'clicks.json'
struct DiscoverStatement {
    bool is_file = false;
    std::string target;
    bool operator==(const DiscoverStatement&) const = default;
};

/// Nothing when the text does not begin with DISCOVER. Errors: it does, and goes on wrongly; it is
/// a statement of its own.
SqlResult<std::optional<DiscoverStatement>> parse_discover(std::string_view sql_text);
std::string print(const DiscoverStatement& statement);

}  // namespace tidemill::sql

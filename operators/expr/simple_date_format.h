#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemill::sql {

/// Dates as java.text.SimpleDateFormat patterns write them: y M d H h m s S a E D z Z and quoted
/// text; English names, UTC. Source: the class description of java.text.SimpleDateFormat.
void format_date(std::string& to, std::string_view pattern, std::int64_t millis);
/// Fields that the pattern leaves out are 1970, 01, 00; text behind the end of the pattern does not
/// count. Nothing if the text does not match.
std::optional<std::int64_t> parse_date(std::string_view pattern, std::string_view text);

}  // namespace tidemill::sql

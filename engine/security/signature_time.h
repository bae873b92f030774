#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/time.h"

namespace tidemill {

/// "20150830T123600Z": the ISO 8601 basic format. Nothing for anything else.
std::optional<WallTime> parse_basic_time(std::string_view text);
std::string basic_time(WallTime time);

/// The same, or "Sun, 30 Aug 2015 12:36:00 GMT" (RFC 9110, section 5.6.7).
std::optional<WallTime> parse_date_header(std::string_view text);

/// "2015-08-30T12:36:00Z" and its variants (fraction, offset, date alone), or seconds since 1970:
/// times in policies. Source: W3C note on date and time formats.
std::optional<WallTime> parse_policy_time(std::string_view text);

}  // namespace tidemill

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "operators/vector/type.h"

namespace tidemill::sql {

/// Calendar fields of a moment in UTC, proleptic Gregorian.
struct CivilTime {
    std::int64_t year = 1970;
    int month = 1, day = 1;  ///< from 1
    int hour = 0, minute = 0, second = 0, millisecond = 0;
};

inline constexpr std::int64_t kMillisPerDay = 86'400'000;

/// Days since 1970-01-01. Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
std::int64_t days_from_civil(std::int64_t year, int month, int day);
CivilTime civil_from_millis(std::int64_t millis);
std::int64_t millis_from_civil(const CivilTime& civil);
int days_in_month(std::int64_t year, int month);
/// Rounds towards minus infinity, as times before 1970 need.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0);
}

/// `YYYY-MM-DD`
std::optional<std::int64_t> parse_date(std::string_view text);
/// `HH:MM[:SS[.fff]]`, in milliseconds of the day
std::optional<std::int64_t> parse_time(std::string_view text);
/// `YYYY-MM-DD[ T]HH:MM[:SS[.fff]][Z]`, or a date alone; digits after the third of the fraction are
/// dropped.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

void append_date(std::string& to, std::int64_t millis);
void append_time(std::string& to, std::int64_t millis);
/// `2014-07-01 00:30:00`, with `.fff` only if there are milliseconds.
void append_timestamp(std::string& to, std::int64_t millis);
/// `90` SECOND, `1:30` MINUTE TO SECOND, `-1 02:00:00` DAY TO SECOND
void append_interval(std::string& to, std::int64_t millis, TimeUnit from, TimeUnit to_unit);
/// What stands between the quotes of INTERVAL '...' from TO to; nothing if it does not fit those
/// units.
std::optional<std::int64_t> parse_interval(std::string_view text, TimeUnit from, TimeUnit to_unit);

/// Start and end of the calendar unit that holds the moment (weeks start on Sunday).
std::int64_t floor_to_unit(std::int64_t millis, TimeUnit unit);
std::int64_t next_unit(std::int64_t floored_millis, TimeUnit unit);

}  // namespace tidemill::sql

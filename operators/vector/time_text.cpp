#include "operators/vector/time_text.h"

#include <iterator>

#include <fmt/format.h>

namespace tidemill::sql {

std::int64_t days_from_civil(std::int64_t year, int month, int day) {
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = floor_div(year, 400);
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

CivilTime civil_from_millis(std::int64_t millis) {
    const std::int64_t days = floor_div(millis, kMillisPerDay);
    auto rest = millis - days * kMillisPerDay;
    const std::int64_t shifted = days + 719468;
    const std::int64_t era = floor_div(shifted, 146097);
    const std::int64_t day_of_era = shifted - era * 146097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
    CivilTime civil;
    civil.day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    civil.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
    civil.millisecond = static_cast<int>(rest % 1000), rest /= 1000;
    civil.second = static_cast<int>(rest % 60), rest /= 60;
    civil.minute = static_cast<int>(rest % 60);
    civil.hour = static_cast<int>(rest / 60);
    return civil;
}

std::int64_t millis_from_civil(const CivilTime& civil) {
    return days_from_civil(civil.year, civil.month, civil.day) * kMillisPerDay +
           ((civil.hour * 60LL + civil.minute) * 60 + civil.second) * 1000 + civil.millisecond;
}

int days_in_month(std::int64_t year, int month) {
    static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : kDays[month - 1];
}

namespace {

// Reads 1..max_digits digits.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t max_digits) {
    std::size_t count = 0;
    std::int64_t value = 0;
    while (count < text.size() && count < max_digits && text[count] >= '0' && text[count] <= '9')
        value = value * 10 + (text[count++] - '0');
    if (count == 0) return std::nullopt;
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

// ".5" is 500 ms; digits after the third do not count.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
    if (!take(text, '.')) return 0;
    std::int64_t millis = 0, weight = 100;
    std::size_t count = 0;
    for (; count < text.size() && text[count] >= '0' && text[count] <= '9'; ++count) {
        millis += (text[count] - '0') * weight;
        weight /= 10;
    }
    if (count == 0 || count > 9) return std::nullopt;
    text.remove_prefix(count);
    return millis;
}

std::optional<std::int64_t> take_date(std::string_view& text) {
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || *month < 1 || *month > 12 || !take(text, '-')) return std::nullopt;
    const auto day = take_number(text, 2);
    if (!day || *day < 1 || *day > days_in_month(*year, static_cast<int>(*month)))
        return std::nullopt;
    return days_from_civil(*year, static_cast<int>(*month), static_cast<int>(*day)) * kMillisPerDay;
}

std::optional<std::int64_t> take_time(std::string_view& text) {
    const auto hour = take_number(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_number(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    std::int64_t millis = (*hour * 60 + *minute) * 60'000;
    if (take(text, ':')) {
        const auto second = take_number(text, 2);
        if (!second || *second > 59) return std::nullopt;
        const auto fraction = take_fraction(text);
        if (!fraction) return std::nullopt;
        millis += *second * 1000 + *fraction;
    }
    return millis;
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text) {
    const auto date = take_date(text);
    return text.empty() ? date : std::nullopt;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
    const auto time = take_time(text);
    return text.empty() ? time : std::nullopt;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
    const auto date = take_date(text);
    if (!date || text.empty()) return date;
    if (!take(text, ' ') && !take(text, 'T')) return std::nullopt;
    const auto time = take_time(text);
    if (!time) return std::nullopt;
    take(text, 'Z');
    if (!text.empty()) return std::nullopt;
    return *date + *time;
}

namespace {

// `value` below 10^digits, with leading zeros.
void append_digits(std::string& to, std::int64_t value, std::size_t digits) {
    char text[4];
    for (auto at = digits; at > 0; value /= 10)
        text[--at] = static_cast<char>('0' + value % 10);
    to.append(text, digits);
}

void append_date(std::string& to, const CivilTime& civil) {
    if (civil.year >= 0 && civil.year <= 9999) {
        append_digits(to, civil.year, 4);
        to += '-';
        append_digits(to, civil.month, 2);
        to += '-';
        append_digits(to, civil.day, 2);
        return;
    }
    fmt::format_to(std::back_inserter(to), "{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
}

void append_time(std::string& to, const CivilTime& civil) {
    append_digits(to, civil.hour, 2);
    to += ':';
    append_digits(to, civil.minute, 2);
    to += ':';
    append_digits(to, civil.second, 2);
    if (civil.millisecond == 0) return;
    to += '.';
    append_digits(to, civil.millisecond, 3);
}

}  // namespace

void append_date(std::string& to, std::int64_t millis) {
    append_date(to, civil_from_millis(millis));
}

void append_time(std::string& to, std::int64_t millis) {
    append_time(to, civil_from_millis(millis));
}

void append_timestamp(std::string& to, std::int64_t millis) {
    const auto civil = civil_from_millis(millis);
    append_date(to, civil);
    to += ' ';
    append_time(to, civil);
}

namespace {

constexpr TimeUnit kIntervalUnits[] = {TimeUnit::Day, TimeUnit::Hour, TimeUnit::Minute,
                                       TimeUnit::Second};

}  // namespace

void append_interval(std::string& to, std::int64_t millis, TimeUnit from, TimeUnit to_unit) {
    if (millis < 0) to += '-';
    auto rest =
        millis < 0 ? 0 - static_cast<std::uint64_t>(millis) : static_cast<std::uint64_t>(millis);
    bool is_first = true;
    for (const auto unit : kIntervalUnits) {
        if (unit > from || unit < to_unit) continue;
        const auto size = static_cast<std::uint64_t>(unit_millis(unit));
        const auto count = rest / size;
        rest %= size;
        if (is_first)
            fmt::format_to(std::back_inserter(to), "{}", count);
        else
            fmt::format_to(std::back_inserter(to), "{}{:02}", unit == TimeUnit::Hour ? ' ' : ':',
                           count);
        is_first = false;
    }
    if (rest != 0 && to_unit == TimeUnit::Second)
        fmt::format_to(std::back_inserter(to), ".{:03}", rest);
}

std::optional<std::int64_t> parse_interval(std::string_view text, TimeUnit from, TimeUnit to_unit) {
    const bool is_negative = take(text, '-');
    if (!is_negative) take(text, '+');
    std::int64_t total = 0;
    bool is_first = true;
    for (const auto unit : kIntervalUnits) {
        if (unit > from || unit < to_unit) continue;
        if (!is_first && !take(text, unit == TimeUnit::Hour ? ' ' : ':')) return std::nullopt;
        const auto count = take_number(text, 9);
        if (!count) return std::nullopt;
        // Only the leading field may exceed its natural range.
        if (!is_first && *count >= (unit == TimeUnit::Hour ? 24 : 60)) return std::nullopt;
        total += *count * unit_millis(unit);
        if (unit == TimeUnit::Second) {
            const auto fraction = take_fraction(text);
            if (!fraction) return std::nullopt;
            total += *fraction;
        }
        is_first = false;
    }
    if (is_first || !text.empty()) return std::nullopt;
    return is_negative ? -total : total;
}

std::int64_t floor_to_unit(std::int64_t millis, TimeUnit unit) {
    if (unit == TimeUnit::Week) {
        // 1970-01-01 was a Thursday; the Sunday before it is day -4.
        const auto days = floor_div(millis, kMillisPerDay) + 4;
        return (floor_div(days, 7) * 7 - 4) * kMillisPerDay;
    }
    if (const auto size = unit_millis(unit); size != 0) return floor_div(millis, size) * size;
    auto civil = civil_from_millis(millis);
    int month = civil.month;
    if (unit == TimeUnit::Year) month = 1;
    if (unit == TimeUnit::Quarter) month = (month - 1) / 3 * 3 + 1;
    return days_from_civil(civil.year, month, 1) * kMillisPerDay;
}

std::int64_t next_unit(std::int64_t floored_millis, TimeUnit unit) {
    if (const auto size = unit_millis(unit); size != 0) return floored_millis + size;
    const auto civil = civil_from_millis(floored_millis);
    const int months = unit == TimeUnit::Year ? 12 : unit == TimeUnit::Quarter ? 3 : 1;
    const int month = civil.month - 1 + months;
    return days_from_civil(civil.year + month / 12, month % 12 + 1, 1) * kMillisPerDay;
}

}  // namespace tidemill::sql

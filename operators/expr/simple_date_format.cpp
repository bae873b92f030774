#include "operators/expr/simple_date_format.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "operators/vector/time_text.h"

namespace tidemill::sql {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A run of one pattern letter, or literal text (letter == 0).
struct Item {
    char letter = 0;
    std::size_t count = 0;
    std::string text;
};

// Takes the next item off the pattern; '' is a quote, 'text' is literal.
Item next_item(std::string_view& pattern) {
    Item item;
    if (is_letter(pattern.front())) {
        item.letter = pattern.front();
        while (item.count < pattern.size() && pattern[item.count] == item.letter)
            ++item.count;
        pattern.remove_prefix(item.count);
        return item;
    }
    while (!pattern.empty() && !is_letter(pattern.front())) {
        if (pattern.front() != '\'') {
            item.text += pattern.front();
            pattern.remove_prefix(1);
            continue;
        }
        const auto end = std::min(pattern.find('\'', 1), pattern.size());
        item.text += end == 1 ? "'" : pattern.substr(1, end - 1);
        pattern.remove_prefix(std::min(end + 1, pattern.size()));
    }
    return item;
}

int weekday(std::int64_t millis) {
    const auto days = floor_div(millis, kMillisPerDay) + 4;
    return static_cast<int>(days - floor_div(days, 7) * 7);
}

void append_number(std::string& to, std::int64_t number, std::size_t width) {
    fmt::format_to(std::back_inserter(to), "{:0{}}", number, width);
}

void format_item(std::string& to, const Item& item, const CivilTime& civil, std::int64_t millis) {
    switch (item.letter) {
        case 0:
            to += item.text;
            break;
        case 'y':
            if (item.count == 2)
                append_number(to, civil.year % 100, 2);
            else
                append_number(to, civil.year, item.count);
            break;
        case 'M':
            if (item.count >= 3) {
                const auto name = kMonths[static_cast<std::size_t>(civil.month - 1)];
                to += item.count == 3 ? name.substr(0, 3) : name;
            } else {
                append_number(to, civil.month, item.count);
            }
            break;
        case 'd':
            append_number(to, civil.day, item.count);
            break;
        case 'D':
            append_number(to,
                          floor_div(millis, kMillisPerDay) - days_from_civil(civil.year, 1, 1) + 1,
                          item.count);
            break;
        case 'H':
            append_number(to, civil.hour, item.count);
            break;
        case 'h':
            append_number(to, (civil.hour + 11) % 12 + 1, item.count);
            break;
        case 'm':
            append_number(to, civil.minute, item.count);
            break;
        case 's':
            append_number(to, civil.second, item.count);
            break;
        case 'S':
            append_number(to, civil.millisecond, item.count);
            break;
        case 'a':
            to += civil.hour < 12 ? "AM" : "PM";
            break;
        case 'E': {
            const auto name = kDays[static_cast<std::size_t>(weekday(millis))];
            to += item.count <= 3 ? name.substr(0, 3) : name;
            break;
        }
        case 'z':
            to += "UTC";
            break;
        case 'Z':
            to += "+0000";
            break;
        case 'X':
            to += 'Z';
            break;
        default:
            to.append(item.count, item.letter);
    }
}

struct Parsed {
    CivilTime civil;
    bool is_pm = false, has_half = false;
    std::int64_t zone_millis = 0;
};

std::optional<std::int64_t> take_digits(std::string_view& text, std::size_t max_digits) {
    std::size_t count = 0;
    std::int64_t value = 0;
    while (count < text.size() && count < max_digits && text[count] >= '0' && text[count] <= '9')
        value = value * 10 + (text[count++] - '0');
    if (count == 0) return std::nullopt;
    text.remove_prefix(count);
    return value;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view name) {
    return text.size() >= name.size() &&
           std::equal(name.begin(), name.end(), text.begin(),
                      [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

// Full names before their three letters; returns the place in the list.
template <std::size_t n>
std::optional<int> take_name(std::string_view& text, const std::array<std::string_view, n>& names) {
    for (const std::size_t length : {std::size_t{16}, std::size_t{3}})
        for (std::size_t i = 0; i < n; ++i)
            if (const auto name = names[i].substr(0, length);
                starts_with_ignoring_case(text, name)) {
                text.remove_prefix(name.size());
                return static_cast<int>(i);
            }
    return std::nullopt;
}

bool take_zone(std::string_view& text, Parsed& parsed) {
    for (const std::string_view name : {"UTC", "GMT", "Z"})
        if (text.starts_with(name)) {
            text.remove_prefix(name.size());
            return true;
        }
    if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
    const bool is_west = text[0] == '-';
    text.remove_prefix(1);
    const auto hours = take_digits(text, 2);
    if (text.starts_with(':')) text.remove_prefix(1);
    const auto minutes = take_digits(text, 2);
    if (!hours || *hours > 23 || !minutes || *minutes > 59) return false;
    parsed.zone_millis = (*hours * 60 + *minutes) * 60'000 * (is_west ? -1 : 1);
    return true;
}

// `is_packed`: another number follows directly, so this one is exactly as wide as its letters.
bool parse_item(std::string_view& text, const Item& item, bool is_packed, Parsed& parsed) {
    auto& civil = parsed.civil;
    const auto number = [&](int low, int high, int& field) {
        const auto value = take_digits(text, is_packed ? item.count : 9);
        if (!value || *value < low || *value > high) return false;
        field = static_cast<int>(*value);
        return true;
    };
    switch (item.letter) {
        case 0:
            if (!text.starts_with(item.text)) return false;
            text.remove_prefix(item.text.size());
            return true;
        case 'y': {
            const auto before = text.size();
            const auto year = take_digits(text, is_packed ? item.count : 6);
            if (!year) return false;
            civil.year = *year;
            // Two digits mean the years around now, as in Java: 80 years back, 20 ahead.
            if (item.count <= 2 && before - text.size() == 2)
                civil.year += *year >= 50 ? 1900 : 2000;
            return true;
        }
        case 'M': {
            if (item.count < 3) return number(1, 12, civil.month);
            const auto month = take_name(text, kMonths);
            if (month) civil.month = *month + 1;
            return month.has_value();
        }
        case 'd':
            return number(1, 31, civil.day);
        case 'H':
            return number(0, 23, civil.hour);
        case 'h':
            return parsed.has_half = true, number(1, 12, civil.hour);
        case 'm':
            return number(0, 59, civil.minute);
        case 's':
            return number(0, 59, civil.second);
        case 'S':
            return number(0, 999, civil.millisecond);
        case 'a':
            if (!starts_with_ignoring_case(text, "AM") && !starts_with_ignoring_case(text, "PM"))
                return false;
            parsed.is_pm = (text[0] | 0x20) == 'p';
            text.remove_prefix(2);
            return true;
        case 'E':
            return take_name(text, kDays).has_value();
        case 'z':
        case 'Z':
        case 'X':
            return take_zone(text, parsed);
        default:
            return false;
    }
}

}  // namespace

void format_date(std::string& to, std::string_view pattern, std::int64_t millis) {
    const auto civil = civil_from_millis(millis);
    while (!pattern.empty())
        format_item(to, next_item(pattern), civil, millis);
}

std::optional<std::int64_t> parse_date(std::string_view pattern, std::string_view text) {
    Parsed parsed;
    while (!pattern.empty()) {
        const auto item = next_item(pattern);
        const bool is_packed = !pattern.empty() && is_letter(pattern.front());
        if (!parse_item(text, item, is_packed, parsed)) return std::nullopt;
    }
    auto& civil = parsed.civil;
    if (civil.day > days_in_month(civil.year, civil.month)) return std::nullopt;
    if (parsed.has_half) civil.hour = civil.hour % 12 + (parsed.is_pm ? 12 : 0);
    return millis_from_civil(civil) - parsed.zone_millis;
}

}  // namespace tidemill::sql

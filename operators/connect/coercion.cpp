#include "operators/connect/coercion.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "operators/vector/time_text.h"

namespace tidemill::sql {
namespace {

std::string_view trim(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

std::optional<double> parse_double(std::string_view text) {
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return {};
    return value;
}

// An integer, also when written as 12.0 or 1e3, but not with a fraction that counts.
std::optional<std::int64_t> parse_integer(std::string_view text) {
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
    const auto number = parse_double(text);
    if (!number || std::floor(*number) != *number || std::abs(*number) >= 0x1p63) return {};
    return static_cast<std::int64_t>(*number);
}

std::optional<std::int64_t> parse_decimal(std::string_view text, const Type& type) {
    const auto number = parse_double(text);
    if (!number) return {};
    // Digits are taken from the text, so that 0.1 stays 0.1; an exponent goes through the double.
    const std::int64_t limit = type.precision >= 19 ? std::numeric_limits<std::int64_t>::max()
                                                    : power_of_ten(type.precision) - 1;
    std::int64_t value = 0;
    if (text.find_first_of("eE") != std::string_view::npos) {
        const double scaled = std::round(*number * static_cast<double>(power_of_ten(type.scale)));
        if (std::abs(scaled) > static_cast<double>(limit)) return {};
        return static_cast<std::int64_t>(scaled);
    }
    const bool is_negative = text.front() == '-';
    int fraction = -1;  // digits after the point so far
    bool round_up = false;
    for (const char c : text) {
        if (c == '.') fraction = 0;
        if (c < '0' || c > '9') continue;
        if (fraction >= static_cast<int>(type.scale)) {
            if (fraction == static_cast<int>(type.scale)) round_up = c >= '5';
            ++fraction;
            continue;
        }
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, c - '0', &value))
            return {};
        if (fraction >= 0) ++fraction;
    }
    for (int i = std::max(fraction, 0); i < static_cast<int>(type.scale); ++i)
        if (__builtin_mul_overflow(value, 10, &value)) return {};
    if (round_up) ++value;
    if (value > limit) return {};
    return is_negative ? -value : value;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const int letter = (c | 0x20) - 'a';
    return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

bool parse_hex(std::string_view text, std::string& bytes) {
    if (text.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return false;
        bytes += static_cast<char>(high * 16 + low);
    }
    return true;
}

bool parse_base64(std::string_view text, std::string& bytes) {
    if (text.size() % 4 != 0) return false;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool is_padding = c == '=' && i + 2 >= text.size();
        const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                          : c >= 'a' && c <= 'z' ? c - 'a' + 26
                          : c >= '0' && c <= '9' ? c - '0' + 52
                          : c == '+'             ? 62
                          : c == '/'             ? 63
                          : is_padding           ? 0
                                                 : -1;
        if (value < 0) return false;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        if (i % 4 != 3) continue;
        for (const int shift : {16, 8, 0})
            bytes += static_cast<char>(bits >> shift & 0xff);
        bits = 0;
    }
    if (text.ends_with("==") && text.size() >= 4)
        bytes.resize(bytes.size() - 2);
    else if (text.ends_with('='))
        bytes.resize(bytes.size() - 1);
    const auto padding = text.find('=');
    return padding == std::string_view::npos ||
           text.find_first_not_of('=', padding) == std::string_view::npos;
}

bool append_optional(Column& column, std::optional<std::int64_t> value) {
    if (!value) return false;
    column.append_int(*value);
    return true;
}

bool append_cut(Column& column, std::string_view text) {
    std::size_t length = column.type().length == 0 ? kMaxTextLength : column.type().length;
    if (text.size() > length) {
        while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
            --length;
        text = text.substr(0, length);
    }
    column.append_text(text);
    return true;
}

/// X'3F67', or base64, which is how rows are written.
bool append_binary(Column& column, std::string_view text) {
    std::string bytes;
    const bool is_hex = text.size() >= 3 && (text[0] == 'X' || text[0] == 'x') && text[1] == '\'' &&
                        text.back() == '\'';
    if (!(is_hex ? parse_hex(text.substr(2, text.size() - 3), bytes) : parse_base64(text, bytes)))
        return false;
    const std::size_t length = column.type().length == 0 ? kMaxTextLength : column.type().length;
    if (bytes.size() > length) return false;
    column.append_text(bytes);
    return true;
}

/// The lowest bit, the others clear; one byte, or as many as BINARY(n) has.
bool append_bit(Column& column, bool value) {
    const bool is_fixed = column.type().kind == TypeKind::Binary && column.type().length > 0;
    std::string bytes(is_fixed ? column.type().length : 1, '\0');
    bytes.back() = value ? '\1' : '\0';
    column.append_text(bytes);
    return true;
}

}  // namespace

bool append_number_as(Column& column, std::string_view number) {
    const Type& type = column.type();
    switch (type.family()) {
        case Family::Numeric:
            if (type.is_approximate()) {
                const auto value = parse_double(number);
                if (!value) return false;
                column.append_double(type.kind == TypeKind::Real ? static_cast<float>(*value)
                                                                 : *value);
                return true;
            }
            if (type.kind == TypeKind::Decimal)
                return append_optional(column, parse_decimal(number, type));
            if (const auto value = parse_integer(number)) {
                const auto range = integer_range(type.kind);
                if (*value < range.low || *value > range.high) return false;
                column.append_int(*value);
                return true;
            }
            return false;
        case Family::Boolean: {
            const auto value = parse_double(number);
            if (value) column.append_bool(*value != 0);
            return value.has_value();
        }
        case Family::Text:
            return append_cut(column, number);
        default:
            return false;
    }
}

bool append_text_as(Column& column, std::string_view text) {
    switch (column.type().family()) {
        case Family::Numeric:
            return append_number_as(column, trim(text));
        case Family::Boolean: {
            constexpr std::string_view kTrue = "true";
            column.append_bool(
                text.size() == 4 &&
                std::ranges::equal(text, kTrue, [](char a, char b) { return (a | 0x20) == b; }));
            return true;
        }
        case Family::Text:
            return append_cut(column, text);
        case Family::Binary:
            return append_binary(column, text);
        case Family::Date:
            return append_optional(column, parse_date(trim(text)));
        case Family::Time:
            return append_optional(column, parse_time(trim(text)));
        case Family::Timestamp:
            return append_optional(column, parse_timestamp(trim(text)));
        default:
            return false;
    }
}

bool append_boolean_as(Column& column, bool value) {
    switch (column.type().family()) {
        case Family::Boolean:
            column.append_bool(value);
            return true;
        case Family::Numeric:
            return append_number_as(column, value ? "1" : "0");
        case Family::Text:
            return append_cut(column, value ? "true" : "false");
        case Family::Binary:
            return append_bit(column, value);
        default:
            return false;
    }
}

std::string misfit(std::string_view value, std::string_view column, const Type& type) {
    constexpr std::size_t kShown = 80;
    return fmt::format("'{}{}' does not fit column \"{}\" ({})", value.substr(0, kShown),
                       value.size() > kShown ? "..." : "", column, type.to_string());
}

}  // namespace tidemill::sql

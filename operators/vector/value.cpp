#include "operators/vector/value.h"

#include <charconv>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "operators/vector/time_text.h"

namespace tidemill::sql {

namespace {

void append_decimal(std::string& to, std::int64_t scaled, unsigned scale) {
    const bool is_negative = scaled < 0;
    auto magnitude =
        is_negative ? 0 - static_cast<std::uint64_t>(scaled) : static_cast<std::uint64_t>(scaled);
    std::string digits = std::to_string(magnitude);
    if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
    if (scale > 0) digits.insert(digits.size() - scale, 1, '.');
    if (is_negative) to += '-';
    to += digits;
}

void append_double(std::string& to, double number, bool is_real) {
    if (std::isnan(number)) {
        to += "NaN";
        return;
    }
    if (std::isinf(number)) {
        to += number < 0 ? "-Infinity" : "Infinity";
        return;
    }
    char buffer[40];
    // A REAL prints the shortest text of its own 32 bits.
    const auto end =
        is_real ? std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(number)).ptr
                : std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
    to.append(buffer, end);
}

}  // namespace

void append_text(std::string& to, const Type& type, std::int64_t bits) {
    switch (type.kind) {
        case TypeKind::Boolean:
            to += bits != 0 ? "true" : "false";
            break;
        case TypeKind::Real:
            append_double(to, std::bit_cast<double>(bits), true);
            break;
        case TypeKind::Double:
            append_double(to, std::bit_cast<double>(bits), false);
            break;
        case TypeKind::Decimal:
            append_decimal(to, bits, type.scale);
            break;
        case TypeKind::Date:
            append_date(to, bits);
            break;
        case TypeKind::Time:
            append_time(to, bits);
            break;
        case TypeKind::Timestamp:
            append_timestamp(to, bits);
            break;
        case TypeKind::Interval:
            append_interval(to, bits, type.from, type.to);
            break;
        default:
            fmt::format_to(std::back_inserter(to), "{}", bits);
    }
}

std::string to_text(const Value& value) {
    if (value.is_null) return "NULL";
    if (value.type.storage() == Storage::Text) return value.text;
    std::string text;
    append_text(text, value.type, value.bits);
    return text;
}

}  // namespace tidemill::sql

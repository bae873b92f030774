#include "operators/vector/type.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

namespace tidemill::sql {

Storage Type::storage() const {
    switch (kind) {
        case TypeKind::Boolean:
            return Storage::Boolean;
        case TypeKind::Real:
        case TypeKind::Double:
            return Storage::Double;
        case TypeKind::Char:
        case TypeKind::Varchar:
        case TypeKind::Binary:
        case TypeKind::Varbinary:
            return Storage::Text;
        default:
            return Storage::Integer;
    }
}

Family Type::family() const {
    switch (kind) {
        case TypeKind::Null:
            return Family::Null;
        case TypeKind::Boolean:
            return Family::Boolean;
        case TypeKind::Char:
        case TypeKind::Varchar:
            return Family::Text;
        case TypeKind::Binary:
        case TypeKind::Varbinary:
            return Family::Binary;
        case TypeKind::Date:
            return Family::Date;
        case TypeKind::Time:
            return Family::Time;
        case TypeKind::Timestamp:
            return Family::Timestamp;
        case TypeKind::Interval:
            return Family::Interval;
        default:
            return Family::Numeric;
    }
}

namespace {

constexpr std::array<std::string_view, 17> kKindNames = {
    "NULL",      "BOOLEAN", "TINYINT", "SMALLINT",  "INTEGER", "BIGINT",
    "DECIMAL",   "REAL",    "DOUBLE",  "CHAR",      "VARCHAR", "BINARY",
    "VARBINARY", "DATE",    "TIME",    "TIMESTAMP", "INTERVAL"};
constexpr std::array<std::string_view, 9> kUnitNames = {
    "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"};

// DECIMAL digits that hold every value of an exact type.
std::uint8_t digits_of(const Type& type) {
    switch (type.kind) {
        case TypeKind::TinyInt:
            return 3;
        case TypeKind::SmallInt:
            return 5;
        case TypeKind::Integer:
            return 10;
        case TypeKind::Decimal:
            return type.precision;
        default:
            return 19;
    }
}

Type common_numeric(const Type& a, const Type& b) {
    if (a.is_approximate() || b.is_approximate()) {
        // An exact number beside a REAL needs more digits than REAL has.
        if (a.kind == TypeKind::Real && b.kind == TypeKind::Real) return TypeKind::Real;
        return TypeKind::Double;
    }
    if (a.kind != TypeKind::Decimal && b.kind != TypeKind::Decimal) return std::max(a.kind, b.kind);
    const auto scale = std::max(a.scale, b.scale);
    const int whole = std::max(digits_of(a) - a.scale, digits_of(b) - b.scale);
    return Type::decimal(
        static_cast<std::uint8_t>(std::min<int>(whole + scale, kMaxDecimalPrecision)), scale);
}

}  // namespace

std::string Type::to_string() const {
    const auto name = kKindNames[static_cast<std::size_t>(kind)];
    switch (kind) {
        case TypeKind::Decimal:
            return fmt::format("DECIMAL({},{})", precision, scale);
        case TypeKind::Char:
        case TypeKind::Varchar:
        case TypeKind::Binary:
        case TypeKind::Varbinary:
            return fmt::format("{}({})", name, length);
        case TypeKind::Interval:
            if (from == to) return fmt::format("INTERVAL {}", unit_name(from));
            return fmt::format("INTERVAL {} TO {}", unit_name(from), unit_name(to));
        default:
            return std::string(name);
    }
}

std::string_view unit_name(TimeUnit unit) { return kUnitNames[static_cast<std::size_t>(unit)]; }

std::optional<TimeUnit> parse_unit(std::string_view name) {
    for (std::size_t i = 0; i < kUnitNames.size(); ++i)
        if (name == kUnitNames[i] ||
            (name.ends_with('S') && name.substr(0, name.size() - 1) == kUnitNames[i]))
            return static_cast<TimeUnit>(i);
    return std::nullopt;
}

std::int64_t unit_millis(TimeUnit unit) {
    switch (unit) {
        case TimeUnit::Millisecond:
            return 1;
        case TimeUnit::Second:
            return 1000;
        case TimeUnit::Minute:
            return 60'000;
        case TimeUnit::Hour:
            return 3'600'000;
        case TimeUnit::Day:
            return 86'400'000;
        case TimeUnit::Week:
            return 7 * 86'400'000;
        default:
            return 0;
    }
}

IntegerRange integer_range(TypeKind kind) {
    switch (kind) {
        case TypeKind::TinyInt:
            return {-128, 127};
        case TypeKind::SmallInt:
            return {-32768, 32767};
        case TypeKind::Integer:
            return {-2147483648LL, 2147483647};
        default:
            return {std::numeric_limits<std::int64_t>::min(),
                    std::numeric_limits<std::int64_t>::max()};
    }
}

std::int64_t power_of_ten(unsigned exponent) {
    std::int64_t result = 1;
    for (unsigned i = 0; i < exponent && i < 18; ++i)
        result *= 10;
    return result;
}

std::optional<Type> common_type(const Type& a, const Type& b) {
    if (a.kind == TypeKind::Null) return b;
    if (b.kind == TypeKind::Null) return a;
    if (a.is_numeric() && b.is_numeric()) return common_numeric(a, b);
    const auto family = a.family();
    if (family == b.family()) {
        Type result = a;
        if (family == Family::Text || family == Family::Binary) {
            if (a.kind != b.kind)
                result.kind = family == Family::Text ? TypeKind::Varchar : TypeKind::Varbinary;
            result.length = std::max(a.length, b.length);
        } else if (family == Family::Interval) {
            result.from = std::max(a.from, b.from);
            result.to = std::min(a.to, b.to);
        }
        return result;
    }
    const auto is_day = [](Family f) { return f == Family::Date || f == Family::Timestamp; };
    if (is_day(family) && is_day(b.family())) return Type(TypeKind::Timestamp);
    return std::nullopt;
}

bool is_assignable(const Type& from, const Type& to) {
    if (from.kind == TypeKind::Null || from.family() == to.family()) return true;
    return from.kind == TypeKind::Date && to.kind == TypeKind::Timestamp;
}

}  // namespace tidemill::sql

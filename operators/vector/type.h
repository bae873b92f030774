#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemill::sql {

/// The SQL types of the dialect. `Null` is the type of a bare NULL, assignable to every other.
enum class TypeKind : std::uint8_t {
    Null,
    Boolean,
    TinyInt,
    SmallInt,
    Integer,
    BigInt,
    Decimal,
    Real,
    Double,
    Char,
    Varchar,
    Binary,
    Varbinary,
    Date,
    Time,
    Timestamp,
    Interval,
};

/// How a value lies in its 8-byte slot of a column.
/// Integer: all integers, DECIMAL (times 10^scale), DATE, TIME, TIMESTAMP, INTERVAL (milliseconds).
enum class Storage : std::uint8_t { Integer, Double, Boolean, Text };

/// Kinds between which values may be compared and assigned without CAST.
enum class Family : std::uint8_t {
    Null,
    Boolean,
    Numeric,
    Text,
    Binary,
    Date,
    Time,
    Timestamp,
    Interval
};

enum class TimeUnit : std::uint8_t {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year
};

inline constexpr std::uint8_t kMaxDecimalPrecision = 19;
inline constexpr std::uint32_t kMaxTextLength = 65535;

struct Type {
    TypeKind kind = TypeKind::Null;
    std::uint32_t length = 0;                              ///< CHAR, VARCHAR, BINARY, VARBINARY
    std::uint8_t precision = 0;                            ///< DECIMAL digits
    std::uint8_t scale = 0;                                ///< DECIMAL digits after the point
    TimeUnit from = TimeUnit::Day, to = TimeUnit::Second;  ///< INTERVAL

    constexpr Type() = default;
    constexpr Type(TypeKind k)
        : kind(k) {}  // NOLINT(google-explicit-constructor): a kind is a type
    static constexpr Type varchar(std::uint32_t length = kMaxTextLength) {
        Type type(TypeKind::Varchar);
        type.length = length;
        return type;
    }
    static constexpr Type decimal(std::uint8_t precision, std::uint8_t scale) {
        Type type(TypeKind::Decimal);
        type.precision = precision;
        type.scale = scale;
        return type;
    }
    static constexpr Type interval(TimeUnit from, TimeUnit to) {
        Type type(TypeKind::Interval);
        type.from = from;
        type.to = to;
        return type;
    }
    bool operator==(const Type&) const = default;

    Storage storage() const;
    Family family() const;
    bool is_integer() const { return kind >= TypeKind::TinyInt && kind <= TypeKind::BigInt; }
    bool is_numeric() const { return family() == Family::Numeric; }
    bool is_text() const { return family() == Family::Text; }
    bool is_approximate() const { return kind == TypeKind::Real || kind == TypeKind::Double; }
    /// As written in SQL: "DECIMAL(10,2)", "VARCHAR(32)", "INTERVAL DAY TO SECOND".
    std::string to_string() const;
};

std::string_view unit_name(TimeUnit unit);
/// Singular or plural, upper case.
std::optional<TimeUnit> parse_unit(std::string_view name);
/// Length in milliseconds; months, quarters and years have none (0).
std::int64_t unit_millis(TimeUnit unit);

/// Smallest and largest value of an integer type.
struct IntegerRange {
    std::int64_t low, high;
};
IntegerRange integer_range(TypeKind kind);

/// 10^exponent, exponent 0..18.
std::int64_t power_of_ten(unsigned exponent);

/// The type that values of both can be brought to without CAST; nothing if their families differ.
std::optional<Type> common_type(const Type& a, const Type& b);
/// Whether a value of `from` may be stored in a column of `to` (numerics mutually; texts mutually;
/// DATE to TIMESTAMP).
bool is_assignable(const Type& from, const Type& to);

}  // namespace tidemill::sql

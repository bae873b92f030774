#pragma once

#include <bit>
#include <cstdint>
#include <string>

#include "operators/vector/type.h"

namespace tidemill::sql {

/// One value outside a column: a literal, a group key, a cell for printing.
struct Value {
    Type type;
    bool is_null = true;
    std::int64_t bits = 0;  ///< the slot, unless the storage is Text
    std::string text;

    static Value null(Type type = {}) {
        Value value;
        value.type = type;
        return value;
    }
    static Value integer(std::int64_t number, Type type = TypeKind::BigInt) {
        Value value = null(type);
        value.is_null = false;
        value.bits = number;
        return value;
    }
    static Value real(double number) {
        return integer(std::bit_cast<std::int64_t>(number), TypeKind::Double);
    }
    static Value boolean(bool truth) { return integer(truth ? 1 : 0, TypeKind::Boolean); }
    static Value varchar(std::string text) {
        Value value = null(Type::varchar(static_cast<std::uint32_t>(text.size())));
        value.is_null = false;
        value.text = std::move(text);
        return value;
    }
    static Value timestamp(std::int64_t millis) { return integer(millis, TypeKind::Timestamp); }

    double as_double() const { return std::bit_cast<double>(bits); }
    bool operator==(const Value&) const = default;
};

/// Appends the text of a value that is not text itself, as a person would write it: doubles in the
/// shortest form that reads back the same, times as 2014-07-01 00:00:00.000 without needless zeros,
/// booleans as true and false.
void append_text(std::string& to, const Type& type, std::int64_t bits);
/// The same for a whole value; "NULL" for a null.
std::string to_text(const Value& value);

}  // namespace tidemill::sql

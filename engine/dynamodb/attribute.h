#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dynamodb/decimal.h"

namespace tidemill::dynamodb {

struct Attribute;
/// The attributes of an item, or of a map within one.
using Item = std::map<std::string, Attribute, std::less<>>;

/// One attribute's value.
struct Attribute {
    enum class Kind : std::uint8_t {
        String,
        Number,
        Binary,
        Boolean,
        Null,
        StringSet,
        NumberSet,
        BinarySet,
        List,
        Map
    };

    Kind kind = Kind::Null;
    bool truth = false;                 ///< of a Boolean
    std::string bytes{};                ///< of a String or Binary
    Decimal number{};                   ///< of a Number
    std::vector<Attribute> elements{};  ///< of a List, or of a set: ordered there, none twice
    Item members{};                     ///< of a Map

    static Attribute of_text(std::string_view text);
    static Attribute of_number(std::int64_t number);

    bool is_set() const {
        return kind == Kind::StringSet || kind == Kind::NumberSet || kind == Kind::BinarySet;
    }
    /// Has an order, and may be a key.
    bool is_scalar() const {
        return kind == Kind::String || kind == Kind::Number || kind == Kind::Binary;
    }
    bool operator==(const Attribute&) const = default;
};

/// "S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M".
std::string_view kind_name(Attribute::Kind kind);
/// Nothing of that name: false.
bool parse_kind(std::string_view name, Attribute::Kind& to);
/// The kind of a set's elements.
Attribute::Kind element_kind(Attribute::Kind set);

/// The order of two scalars of one kind.
std::strong_ordering compare(const Attribute& a, const Attribute& b);
/// Brings a set's elements in order. False when one is there twice.
bool sort_set(Attribute& set);

/// The bytes that DynamoDB counts. Source: the Developer Guide, "DynamoDB item sizes and formats".
std::size_t size_of(const Attribute& value);
std::size_t size_of(const Item& item);

}  // namespace tidemill::dynamodb

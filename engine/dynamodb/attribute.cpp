#include "engine/dynamodb/attribute.h"

#include <algorithm>
#include <array>

namespace tidemill::dynamodb {
namespace {

constexpr std::array<std::string_view, 10> kNames = {"S",  "N",  "B",  "BOOL", "NULL",
                                                     "SS", "NS", "BS", "L",    "M"};

}  // namespace

Attribute Attribute::of_text(std::string_view text) {
    return {.kind = Kind::String, .bytes = std::string(text)};
}

Attribute Attribute::of_number(std::int64_t number) {
    return {.kind = Kind::Number, .number = Decimal(number)};
}

std::string_view kind_name(Attribute::Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

bool parse_kind(std::string_view name, Attribute::Kind& to) {
    const auto found = std::ranges::find(kNames, name);
    if (found == kNames.end()) return false;
    to = static_cast<Attribute::Kind>(found - kNames.begin());
    return true;
}

Attribute::Kind element_kind(Attribute::Kind set) {
    if (set == Attribute::Kind::StringSet) return Attribute::Kind::String;
    return set == Attribute::Kind::NumberSet ? Attribute::Kind::Number : Attribute::Kind::Binary;
}

std::strong_ordering compare(const Attribute& a, const Attribute& b) {
    if (a.kind == Attribute::Kind::Number) return a.number <=> b.number;
    return a.bytes <=> b.bytes;  // by unsigned bytes: char_traits compares so
}

bool sort_set(Attribute& set) {
    std::ranges::sort(set.elements,
                      [](const Attribute& a, const Attribute& b) { return compare(a, b) < 0; });
    return std::ranges::adjacent_find(set.elements) == set.elements.end();
}

std::size_t size_of(const Attribute& value) {
    switch (value.kind) {
        case Attribute::Kind::String:
        case Attribute::Kind::Binary:
            return value.bytes.size();
        case Attribute::Kind::Number:
            return (value.number.digits() + 1) / 2 + 1 + (value.number.is_negative() ? 1u : 0u);
        case Attribute::Kind::Boolean:
        case Attribute::Kind::Null:
            return 1;
        case Attribute::Kind::Map: {
            std::size_t size = 3 + value.members.size();
            return size + size_of(value.members);
        }
        default:
            break;
    }
    std::size_t size = value.is_set() ? 0 : 3 + value.elements.size();
    for (const auto& element : value.elements)
        size += size_of(element);
    return size;
}

std::size_t size_of(const Item& item) {
    std::size_t size = 0;
    for (const auto& [name, value] : item)
        size += name.size() + size_of(value);
    return size;
}

}  // namespace tidemill::dynamodb

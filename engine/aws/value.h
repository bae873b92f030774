#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tidemill::aws {

/// A request's document, whatever its encoding: JSON now, CBOR beside it later.
struct Value {
    struct Named;
    using List = std::vector<Value>;
    using Map = std::vector<Named>;
    std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> content;

    bool is_null() const { return content.index() == 0; }
    const bool* boolean() const { return std::get_if<bool>(&content); }
    const std::int64_t* integer() const { return std::get_if<std::int64_t>(&content); }
    const double* real() const { return std::get_if<double>(&content); }
    const std::string* text() const { return std::get_if<std::string>(&content); }
    const List* list() const { return std::get_if<List>(&content); }
    const Map* map() const { return std::get_if<Map>(&content); }

    /// The member of that name that is not null; null pointer otherwise. The last one wins, as in
    /// AWS's parser.
    const Value* find(std::string_view name) const;
    // Members of a document that has passed its shape check; the fallback when absent.
    std::string_view text_or(std::string_view name, std::string_view otherwise) const;
    std::int64_t integer_or(std::string_view name, std::int64_t otherwise) const;
    bool boolean_or(std::string_view name, bool otherwise) const;
};

struct Value::Named {
    std::string name;
    Value value;
};

}  // namespace tidemill::aws

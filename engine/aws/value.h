#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/time.h"

namespace tidemill::aws {

/// A request's document, whatever its encoding.
/// JSON has no bytes and no times: there they are texts and numbers until `check` has found in the
/// request's shape what they are, and made them so.
struct Value {
    struct Named;
    struct Blob {
        std::string bytes;
    };
    using List = std::vector<Value>;
    using Map = std::vector<Named>;
    std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map, Blob, WallTime>
        content;

    bool is_null() const { return content.index() == 0; }
    const bool* boolean() const { return std::get_if<bool>(&content); }
    const std::int64_t* integer() const { return std::get_if<std::int64_t>(&content); }
    const double* real() const { return std::get_if<double>(&content); }
    std::optional<double> number() const;  ///< an integer or a real
    const std::string* text() const { return std::get_if<std::string>(&content); }
    const List* list() const { return std::get_if<List>(&content); }
    const Map* map() const { return std::get_if<Map>(&content); }
    const std::string* blob() const;
    const WallTime* time() const { return std::get_if<WallTime>(&content); }

    /// The member of that name that is not null; null pointer otherwise. The last one wins, as in
    /// AWS's parser.
    const Value* find(std::string_view name) const;
    Value* find(std::string_view name);
    // Members of a document that has passed its shape check; the fallback when absent.
    std::string_view text_or(std::string_view name, std::string_view otherwise) const;
    std::int64_t integer_or(std::string_view name, std::int64_t otherwise) const;
    bool boolean_or(std::string_view name, bool otherwise) const;
    std::string_view blob_or(std::string_view name, std::string_view otherwise) const;
    std::optional<WallTime> time_of(std::string_view name) const;
};

struct Value::Named {
    std::string name;
    Value value;
};

/// A document with more values than this is refused: each takes some 80 bytes, however short it was
/// in the request.
constexpr std::size_t kDocumentValuesMax = std::size_t{1} << 17;

/// A time by a number that a client sent. Beyond some 30,000 years every time is the same: far
/// away.
WallTime time_of_millis(double millis);

}  // namespace tidemill::aws

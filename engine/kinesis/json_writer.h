#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/time.h"

namespace tidemill::kinesis {

/// Appends JSON to a string; sets the commas itself. Nesting is the caller's to close.
class JsonWriter {
 public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }
    /// A member's name; must need no escapes.
    JsonWriter& key(std::string_view name);

    JsonWriter& text(std::string_view value);        ///< escapes what must be
    JsonWriter& plain_text(std::string_view value);  ///< must need no escapes
    JsonWriter& base64(Bytes value);
    JsonWriter& number(std::int64_t value);
    JsonWriter& boolean(bool value);
    JsonWriter& seconds(WallTime value);  ///< seconds since the epoch with three decimals

    // Members.
    JsonWriter& member(std::string_view name, std::string_view value) {
        return key(name).text(value);
    }
    JsonWriter& member(std::string_view name, WallTime value) { return key(name).seconds(value); }
    template <std::same_as<bool> Bool>
    JsonWriter& member(std::string_view name, Bool value) {
        return key(name).boolean(value);
    }
    template <std::integral Number>
        requires(!std::same_as<Number, bool>)
    JsonWriter& member(std::string_view name, Number value) {
        return key(name).number(static_cast<std::int64_t>(value));
    }

 private:
    void comma() {
        if (needs_comma_) out_ += ',';
        needs_comma_ = true;
    }
    JsonWriter& open(char bracket);
    JsonWriter& close(char bracket);

    std::string& out_;
    bool needs_comma_ = false;
};

}  // namespace tidemill::kinesis

#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/aws/encoding.h"
#include "engine/base/bytes.h"
#include "engine/base/time.h"

namespace tidemill::aws {

/// Appends a document to a string in one of the encodings. Nesting is the caller's to close.
/// In JSON it sets the commas itself; in CBOR (RFC 8949) objects and arrays are of indefinite
/// length, so that nothing must be counted beforehand.
class DocumentWriter {
 public:
    DocumentWriter(std::string& out, Encoding encoding)
        : out_(out), is_json_(encoding == Encoding::Json) {}

    DocumentWriter& begin_object() { return open('{', 0xbf); }
    DocumentWriter& end_object() { return close('}'); }
    DocumentWriter& begin_array() { return open('[', 0x9f); }
    DocumentWriter& end_array() { return close(']'); }
    /// A member's name; must need no escapes.
    DocumentWriter& key(std::string_view name);
    DocumentWriter& escaped_key(std::string_view name);  ///< any name, of UTF-8

    DocumentWriter& text(std::string_view value);        ///< escapes what must be
    DocumentWriter& plain_text(std::string_view value);  ///< must need no escapes
    DocumentWriter& blob(Bytes value);                   ///< base64 in JSON, a byte string in CBOR
    DocumentWriter& number(std::int64_t value);
    DocumentWriter& real(double value);  ///< finite
    DocumentWriter& boolean(bool value);
    /// JSON: seconds since the epoch with three decimals. CBOR: tag 1 and milliseconds, as the AWS
    /// SDKs want them of the JSON services, and against the RFC, which has seconds.
    DocumentWriter& time(WallTime value);

    // Members.
    DocumentWriter& member(std::string_view name, std::string_view value) {
        return key(name).text(value);
    }
    DocumentWriter& member(std::string_view name, WallTime value) { return key(name).time(value); }
    template <std::same_as<bool> Bool>
    DocumentWriter& member(std::string_view name, Bool value) {
        return key(name).boolean(value);
    }
    template <std::integral Number>
        requires(!std::same_as<Number, bool>)
    DocumentWriter& member(std::string_view name, Number value) {
        return key(name).number(static_cast<std::int64_t>(value));
    }

 private:
    void comma() {
        if (needs_comma_) out_ += ',';
        needs_comma_ = true;
    }
    DocumentWriter& open(char bracket, unsigned char head);
    DocumentWriter& close(char bracket);
    /// A CBOR item's first bytes: its major type and its argument.
    void head(unsigned major, std::uint64_t argument);

    std::string& out_;
    bool is_json_;
    bool needs_comma_ = false;
};

}  // namespace tidemill::aws

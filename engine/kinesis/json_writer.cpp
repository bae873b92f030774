#include "engine/kinesis/json_writer.h"

#include <charconv>

#include <fmt/format.h>

#include "engine/base/json_text.h"
#include "engine/security/base64.h"

namespace tidemill::kinesis {
JsonWriter& JsonWriter::open(char bracket) {
    comma();
    out_ += bracket;
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
    out_ += bracket;
    needs_comma_ = true;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    comma();
    out_ += '"';
    out_ += name;
    out_ += "\":";
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::plain_text(std::string_view value) {
    comma();
    out_ += '"';
    out_ += value;
    out_ += '"';
    return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
    comma();
    append_json_string(out_, value);
    return *this;
}

JsonWriter& JsonWriter::base64(Bytes value) {
    comma();
    const std::size_t at = out_.size();
    out_.resize(at + base64_encoded_size(value.size()) + 2, '"');
    base64_encode(value, out_.data() + at + 1);
    return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
    comma();
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out_.append(digits, end);
    return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
    comma();
    out_ += value ? "true" : "false";
    return *this;
}

JsonWriter& JsonWriter::seconds(WallTime value) {
    const std::int64_t ms = to_millis(value);
    comma();
    char digits[32];
    char* end = std::to_chars(digits, digits + sizeof digits, ms / 1000).ptr;
    const auto rest = static_cast<unsigned>(ms % 1000);
    *end++ = '.';
    *end++ = static_cast<char>('0' + rest / 100);
    *end++ = static_cast<char>('0' + rest / 10 % 10);
    *end++ = static_cast<char>('0' + rest % 10);
    out_.append(digits, end);
    return *this;
}

}  // namespace tidemill::kinesis

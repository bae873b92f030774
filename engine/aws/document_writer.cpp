#include "engine/aws/document_writer.h"

#include <bit>
#include <charconv>

#include "engine/base/json_text.h"
#include "engine/security/base64.h"

namespace tidemill::aws {
namespace {

enum Major : unsigned { kUnsigned = 0, kNegative = 1, kBytes = 2, kText = 3, kTag = 6 };
constexpr char kBreak = static_cast<char>(0xff);
constexpr char kDouble = static_cast<char>(0xfb);
constexpr std::uint64_t kEpochTag = 1;

}  // namespace

void DocumentWriter::head(unsigned major, std::uint64_t argument) {
    const auto put = [&](unsigned info, unsigned bytes) {
        out_ += static_cast<char>(major << 5 | info);
        for (unsigned i = bytes; i-- > 0;)
            out_ += static_cast<char>(argument >> (8 * i) & 0xff);
    };
    if (argument < 24)
        put(static_cast<unsigned>(argument), 0);
    else if (argument <= 0xff)
        put(24, 1);
    else if (argument <= 0xffff)
        put(25, 2);
    else if (argument <= 0xffffffff)
        put(26, 4);
    else
        put(27, 8);
}

DocumentWriter& DocumentWriter::open(char bracket, unsigned char head) {
    if (!is_json_) {
        out_ += static_cast<char>(head);
        return *this;
    }
    comma();
    out_ += bracket;
    needs_comma_ = false;
    return *this;
}

DocumentWriter& DocumentWriter::close(char bracket) {
    out_ += is_json_ ? bracket : kBreak;
    needs_comma_ = true;
    return *this;
}

DocumentWriter& DocumentWriter::key(std::string_view name) {
    if (!is_json_) return plain_text(name);
    comma();
    out_ += '"';
    out_ += name;
    out_ += "\":";
    needs_comma_ = false;
    return *this;
}

DocumentWriter& DocumentWriter::escaped_key(std::string_view name) {
    text(name);
    if (!is_json_) return *this;
    out_ += ':';
    needs_comma_ = false;
    return *this;
}

DocumentWriter& DocumentWriter::real(double value) {
    if (!is_json_) {
        out_ += kDouble;
        const auto bits = std::bit_cast<std::uint64_t>(value);
        for (unsigned i = 8; i-- > 0;)
            out_ += static_cast<char>(bits >> (8 * i) & 0xff);
        return *this;
    }
    comma();
    char text[32];
    out_.append(text, std::to_chars(text, text + sizeof text, value).ptr);
    return *this;
}

DocumentWriter& DocumentWriter::plain_text(std::string_view value) {
    if (!is_json_) {
        head(kText, value.size());
        out_ += value;
        return *this;
    }
    comma();
    out_ += '"';
    out_ += value;
    out_ += '"';
    return *this;
}

DocumentWriter& DocumentWriter::text(std::string_view value) {
    if (!is_json_) return plain_text(value);
    comma();
    append_json_string(out_, value);
    return *this;
}

DocumentWriter& DocumentWriter::blob(Bytes value) {
    if (!is_json_) {
        head(kBytes, value.size());
        out_ += as_text(value);
        return *this;
    }
    comma();
    const std::size_t at = out_.size();
    out_.resize(at + base64_encoded_size(value.size()) + 2, '"');
    base64_encode(value, out_.data() + at + 1);
    return *this;
}

DocumentWriter& DocumentWriter::number(std::int64_t value) {
    if (!is_json_) {
        if (value < 0)
            head(kNegative, ~static_cast<std::uint64_t>(value));
        else
            head(kUnsigned, static_cast<std::uint64_t>(value));
        return *this;
    }
    comma();
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out_.append(digits, end);
    return *this;
}

DocumentWriter& DocumentWriter::boolean(bool value) {
    if (!is_json_) {
        out_ += static_cast<char>(value ? 0xf5 : 0xf4);
        return *this;
    }
    comma();
    out_ += value ? "true" : "false";
    return *this;
}

DocumentWriter& DocumentWriter::time(WallTime value) {
    const std::int64_t ms = to_millis(value);
    if (!is_json_) {
        head(kTag, kEpochTag);
        return number(ms);
    }
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

}  // namespace tidemill::aws

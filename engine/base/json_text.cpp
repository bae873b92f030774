#include "engine/base/json_text.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

namespace tidemill {
namespace {

// Length of the well-formed UTF-8 sequence that `text` begins with, 0 when there is none.
// Source: RFC 3629, section 4.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
        (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f))
        return 0;
    return length;
}

// The first byte that cannot stand in a JSON string as it is, or is not ASCII; eight bytes a step.
std::size_t plain_length(std::string_view text) {
    constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
    std::size_t at = 0;
    if constexpr (std::endian::native == std::endian::little) {
        for (; at + 8 <= text.size(); at += 8) {
            std::uint64_t word;
            std::memcpy(&word, text.data() + at, 8);
            const auto quote = word ^ (kOnes * '"'), slash = word ^ (kOnes * '\\');
            // The lowest byte marked is right; above it there may be false marks.
            const auto marks = (word | ((word - kOnes * 0x20) & ~word) |
                                ((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash)) &
                               kHigh;
            if (marks != 0) return at + static_cast<std::size_t>(std::countr_zero(marks)) / 8;
        }
    }
    while (at < text.size() && text[at] >= 0x20 && text[at] != '"' && text[at] != '\\')
        ++at;
    return at;
}

}  // namespace

void append_json_string(std::string& to, std::string_view text) {
    to += '"';
    while (!text.empty()) {
        // Plain characters in one piece.
        const auto plain = plain_length(text);
        to += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        std::size_t length = 1;
        switch (const char c = text[0]) {
            case '"':
                to += "\\\"";
                break;
            case '\\':
                to += "\\\\";
                break;
            case '\n':
                to += "\\n";
                break;
            case '\r':
                to += "\\r";
                break;
            case '\t':
                to += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    to += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                } else if (length = utf8_length(text); length == 0) {
                    to += "\xef\xbf\xbd";
                    length = 1;
                } else {
                    to += text.substr(0, length);
                }
        }
        text.remove_prefix(length);
    }
    to += '"';
}

}  // namespace tidemill

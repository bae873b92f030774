#include "engine/base/json_text.h"

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

}  // namespace

void append_json_string(std::string& to, std::string_view text) {
    to += '"';
    while (!text.empty()) {
        // Plain characters in one piece.
        std::size_t plain = 0;
        while (plain < text.size() && text[plain] >= 0x20 && text[plain] != '"' &&
               text[plain] != '\\')
            ++plain;
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

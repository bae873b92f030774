#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/base/json_text.h"

using namespace tidemill;

TEST_CASE("every byte at every place of a text is escaped as JSON wants it") {
    for (std::size_t size = 1; size < 20; ++size)
        for (std::size_t place = 0; place < size; ++place)
            for (int byte = 0; byte < 256; ++byte) {
                std::string text(size, 'x');
                text[place] = static_cast<char>(byte);
                std::string middle(1, static_cast<char>(byte));
                if (byte == '"' || byte == '\\')
                    middle = std::string("\\") + static_cast<char>(byte);
                else if (byte == '\n')
                    middle = "\\n";
                else if (byte == '\r')
                    middle = "\\r";
                else if (byte == '\t')
                    middle = "\\t";
                else if (byte < 0x20)
                    middle = fmt::format("\\u{:04x}", byte);
                else if (byte >= 0x80)
                    middle = "\xef\xbf\xbd";
                std::string expected = "\"";
                expected.append(place, 'x').append(middle).append(size - place - 1, 'x');
                expected += '"';
                std::string made;
                append_json_string(made, text);
                if (made != expected) {
                    CAPTURE(size);
                    CAPTURE(place);
                    CAPTURE(byte);
                    REQUIRE(made == expected);
                }
            }
}

#include <string>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "operators/connect/row_decoder.h"

using namespace tidemill;
using namespace tidemill::sql;

namespace {

// The end of the document that `text` begins with, byte by byte; its line where it never closes.
std::size_t end_of_document(std::string_view text) {
    std::size_t depth = 0;
    bool in_text = false, is_escaped = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_escaped) {
            is_escaped = false;
        } else if (in_text) {
            is_escaped = c == '\\';
            in_text = c != '"';
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            if (--depth == 0) return i + 1;
        }
    }
    return std::min(text.find('\n'), text.size());
}

}  // namespace

TEST_CASE("rows of JSON end where a walk byte by byte says they do") {
    constexpr std::uint64_t kSeed = 20261123;
    CAPTURE(kSeed);
    Random random(kSeed);
    constexpr std::string_view kBytes = "\"\\{}[]\nabcdefghijklmnopqrst\x80\xff";
    for (int round = 0; round < 20'000; ++round) {
        std::string text = "{\"";
        for (auto left = random.below(60); left > 0; --left)
            text += kBytes[static_cast<std::size_t>(random.below(kBytes.size()))];
        if (random.below(2) == 0) text += "\"}";
        std::string_view rest = text;
        const auto row = take_row(RecordFormat::Json, rest);
        REQUIRE(row);
        const auto end = end_of_document(text);
        if (*row != std::string_view(text).substr(0, end)) {
            CAPTURE(text);
            REQUIRE(*row == std::string_view(text).substr(0, end));
        }
        REQUIRE(rest == std::string_view(text).substr(end));
    }
}

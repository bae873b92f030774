#include "operators/sql/sql_error.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::sql {

namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

}  // namespace

std::string SqlError::to_string() const {
    return fmt::format("line {}, column {}: {}\n{}", line, column, message, snippet);
}

SqlError locate(std::string_view sql_text, Span span, std::string message) {
    SqlError error;
    error.message = std::move(message);
    error.span = span;
    const std::size_t begin = std::min<std::size_t>(span.begin, sql_text.size());
    const std::size_t line_begin = begin == 0 ? 0 : sql_text.rfind('\n', begin - 1) + 1;
    const std::size_t line_end = std::min(sql_text.find('\n', begin), sql_text.size());
    error.line =
        static_cast<std::uint32_t>(std::ranges::count(sql_text.substr(0, begin), '\n') + 1);
    const auto before = sql_text.substr(line_begin, begin - line_begin);
    error.column = static_cast<std::uint32_t>(count_characters(before) + 1);
    // Tabs stay tabs in the line of carets, so that both lines are indented alike.
    std::string indent;
    for (const char c : before)
        if (starts_character(c)) indent += c == '\t' ? '\t' : ' ';
    const auto marked_end = std::clamp<std::size_t>(span.end, begin, line_end);
    const auto width =
        std::max<std::size_t>(count_characters(sql_text.substr(begin, marked_end - begin)), 1);
    error.snippet = fmt::format("{}\n{}{}", sql_text.substr(line_begin, line_end - line_begin),
                                indent, std::string(width, '^'));
    return error;
}

}  // namespace tidemill::sql

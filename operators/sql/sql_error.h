#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace tidemill::sql {

/// Where something stands in the SQL text: bytes [begin, end).
struct Span {
    std::uint32_t begin = 0, end = 0;

    Span() = default;
    Span(std::size_t from, std::size_t to)
        : begin(static_cast<std::uint32_t>(from)), end(static_cast<std::uint32_t>(to)) {}
    static Span join(Span a, Span b) {
        return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
    }
};

/// Why SQL text was refused, and where. `message` is a full sentence: what was found, what was
/// expected, and the nearest name when one was not known.
struct SqlError {
    std::string message;
    Span span;
    std::uint32_t line = 0, column = 0;  ///< from 1; columns count characters of UTF-8
    std::string snippet;                 ///< the line, and below it carets under the place

    /// "line 3, column 8: <message>\n<snippet>"
    std::string to_string() const;
};

template <class T>
using SqlResult = std::expected<T, SqlError>;

/// Fills line, column and snippet from the text that `span` speaks of.
SqlError locate(std::string_view sql_text, Span span, std::string message);

}  // namespace tidemill::sql

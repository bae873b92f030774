#include "operators/sql/token_cursor.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "operators/sql/nearest_name.h"

namespace tidemill::sql {

bool is_reserved(std::string_view word) {
    static constexpr std::array<std::string_view, 60> kReserved = {
        "ALL",       "AND",       "AS",       "BETWEEN", "BY",    "CASE",    "CAST",    "CREATE",
        "CROSS",     "CURSOR",    "DISTINCT", "ELSE",    "END",   "ESCAPE",  "EXCEPT",  "EXISTS",
        "FALSE",     "FOR",       "FROM",     "FULL",    "GROUP", "HAVING",  "IN",      "INNER",
        "INSERT",    "INTERSECT", "INTERVAL", "INTO",    "IS",    "JOIN",    "LEFT",    "LIKE",
        "LIMIT",     "NATURAL",   "NOT",      "NULL",    "ON",    "OR",      "ORDER",   "OVER",
        "PARTITION", "PUMP",      "RIGHT",    "ROWS",    "RANGE", "SELECT",  "SIMILAR", "STREAM",
        "TABLE",     "THEN",      "TO",       "TRUE",    "UNION", "UNKNOWN", "USING",   "VALUES",
        "WHEN",      "WHERE",     "WINDOW",   "WINDOWED"};
    return std::ranges::find(kReserved, word) != kReserved.end();
}

bool TokenCursor::accept_word(std::string_view word) {
    if (!is_word(word)) return false;
    next();
    return true;
}

bool TokenCursor::accept_symbol(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    next();
    return true;
}

std::unexpected<SqlError> TokenCursor::expected(std::string_view what) const {
    return failure(peek().span, fmt::format("Expected {}, found {}.", what, peek().describe()));
}

std::unexpected<SqlError> TokenCursor::expected_end(std::string_view what) const {
    static const std::string kClauses[] = {"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "UNION"};
    std::string hint;
    const Token* before = previous();
    if (before != nullptr && before->kind == TokenKind::Word &&
        std::ranges::find(kClauses, before->text) == std::end(kClauses))
        hint = did_you_mean(before->text, kClauses);
    if (!hint.empty())
        return failure(before->span, fmt::format("Expected {} after {}, found {}.{}", what,
                                                 before->text, peek().describe(), hint));
    return expected(what);
}

std::unexpected<SqlError> TokenCursor::not_yet(Span span, std::string_view what) const {
    return failure(span, fmt::format("{} is not supported yet.", what));
}

SqlResult<void> TokenCursor::expect_word(std::string_view word) {
    if (!accept_word(word)) return expected(word);
    return {};
}

SqlResult<void> TokenCursor::expect_symbol(std::string_view symbol) {
    if (!accept_symbol(symbol)) return expected(fmt::format("'{}'", symbol));
    return {};
}

SqlResult<ast::Name> TokenCursor::expect_name(std::string_view what) {
    const Token& token = peek();
    if (!token.is_name()) return expected(what);
    if (token.kind == TokenKind::Word && is_reserved(token.text))
        return failure(
            token.span,
            fmt::format(
                "Expected {}, found the reserved word {}; write \"{}\" to use it as a name.", what,
                token.text, token.text));
    ast::Name name{token.text, token.kind == TokenKind::Quoted, token.span};
    next();
    return name;
}

SqlResult<std::string> TokenCursor::expect_string(std::string_view what) {
    if (peek().kind != TokenKind::String) return expected(what);
    return next().text;
}

SqlResult<std::int64_t> TokenCursor::expect_integer(std::string_view what, std::int64_t low,
                                                    std::int64_t high) {
    const Token& token = peek();
    std::int64_t value = 0;
    const char* end = token.text.data() + token.text.size();
    if (token.kind != TokenKind::Number ||
        std::from_chars(token.text.data(), end, value).ptr != end)
        return expected(what);
    if (value < low || value > high)
        return failure(token.span, fmt::format("{} must be from {} to {}, not {}.", what, low, high,
                                               token.text));
    next();
    return value;
}

Span TokenCursor::span_from(Span begin) const {
    return Span::join(begin, at_ == 0 ? begin : tokens_[at_ - 1].span);
}

}  // namespace tidemill::sql

#include "operators/sql/column_list_parser.h"

#include "operators/sql/expression_parser.h"
#include "operators/sql/lexer.h"

namespace tidemill::sql {

namespace {

constexpr std::size_t kMaxColumns = 1000;

SqlResult<LogColumn> one_column(TokenCursor& tokens, ExpressionParser& expressions) {
    LogColumn column;
    ASSIGN(const auto name, tokens.expect_name("the name of a column"));
    column.name = name.text;
    TRY(tokens.expect_word("TYPE"));
    ASSIGN(column.type, expressions.type());
    if (tokens.peek().kind == TokenKind::String) {
        const auto family = column.type.family();
        if (family != Family::Date && family != Family::Time && family != Family::Timestamp)
            return tokens.failure(tokens.peek().span,
                                  "Only DATE, TIME and TIMESTAMP take a format.");
        column.format = tokens.next().text;
    }
    if (tokens.accept_word("NOT")) {
        TRY(tokens.expect_word("NULL"));
        column.is_not_null = true;
    }
    if (tokens.accept_word("START")) {
        ASSIGN(const auto start, tokens.expect_integer("the place of the column", 0, 1 << 20));
        column.start = static_cast<std::size_t>(start);
        if (tokens.accept_word("FOR")) {
            ASSIGN(const auto length, tokens.expect_integer("the length", 1, 1 << 20));
            column.length = static_cast<std::size_t>(length);
        }
    }
    return column;
}

}  // namespace

SqlResult<std::vector<LogColumn>> parse_log_columns(std::string_view text) {
    ASSIGN(auto tokens, lex(text));
    TokenCursor cursor(text, std::move(tokens));
    ExpressionParser expressions(cursor);
    std::vector<LogColumn> columns;
    do {
        ASSIGN(auto column, one_column(cursor, expressions));
        columns.push_back(std::move(column));
    } while (cursor.accept_symbol(",") && columns.size() < kMaxColumns);
    if (cursor.peek().kind != TokenKind::End) return cursor.expected("',' or the end of the list");
    return columns;
}

}  // namespace tidemill::sql

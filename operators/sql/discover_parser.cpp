#include "operators/sql/discover_parser.h"

#include "engine/base/result.h"
#include "operators/sql/lexer.h"
#include "operators/sql/token_cursor.h"

namespace tidemill::sql {

SqlResult<std::optional<DiscoverStatement>> parse_discover(std::string_view sql_text) {
    auto lexed = lex(sql_text);
    // What is no SQL at all is for the others to complain of.
    if (!lexed || !lexed->front().is_word("DISCOVER")) return std::nullopt;
    TokenCursor tokens(sql_text, std::move(*lexed));
    TRY(tokens.expect_word("DISCOVER"));
    TRY(tokens.expect_word("SCHEMA"));
    TRY(tokens.expect_word("FROM"));
    DiscoverStatement statement;
    statement.is_file = tokens.accept_word("FILE");
    if (!statement.is_file && !tokens.accept_word("STREAM"))
        return tokens.expected("STREAM 'name' or FILE 'path'");
    ASSIGN(statement.target,
           tokens.expect_string(statement.is_file ? "the file's path in quotes"
                                                  : "the stream's name in quotes"));
    while (tokens.accept_symbol(";")) {
    }
    if (tokens.peek().kind != TokenKind::End) return tokens.expected("the end of the statement");
    return statement;
}

std::string print(const DiscoverStatement& statement) {
    std::string text =
        statement.is_file ? "DISCOVER SCHEMA FROM FILE '" : "DISCOVER SCHEMA FROM STREAM '";
    for (const char c : statement.target)
        text += c == '\'' ? "''" : std::string(1, c);
    return text + "'";
}

}  // namespace tidemill::sql

#include "console/repl/explain_request.h"

#include <fmt/format.h>

#include "operators/sql/lexer.h"
#include "operators/sql/nearest_name.h"

namespace tidemill::console {

using sql::TokenKind;

sql::SqlResult<std::optional<ExplainRequest>> read_explain(std::string_view statement) {
    const auto tokens = sql::lex(statement);
    if (!tokens || !tokens->front().is_word("EXPLAIN")) return std::nullopt;
    ExplainRequest request;
    std::size_t at = 1;
    if ((*tokens)[at].is_word("ANALYZE")) {
        request.is_measured = true;
        ++at;
    }
    const auto& token = (*tokens)[at];
    const bool is_application = token.is_word("APPLICATION");
    if (is_application || token.is_word("PUMP")) {
        const auto& name = (*tokens)[at + 1];
        if (!name.is_name() && name.kind != TokenKind::String)
            return std::unexpected(sql::locate(
                statement, name.span,
                fmt::format("Expected the name of {}, found {}.",
                            is_application ? "an application" : "a pump", name.describe())));
        request.what =
            is_application ? ExplainRequest::What::Application : ExplainRequest::What::Pump;
        // Applications are named outside SQL, where nothing folds case.
        request.name =
            is_application && name.kind == TokenKind::Word
                ? std::string(statement.substr(name.span.begin, name.span.end - name.span.begin))
                : name.text;
        // Names of applications may hold dashes, which end a word of SQL.
        if (is_application && name.kind == TokenKind::Word) {
            const auto end = statement.find_first_of("; \t\r\n", name.span.begin);
            request.name = statement.substr(
                name.span.begin, end == std::string_view::npos ? end : end - name.span.begin);
        }
        return request;
    }
    if (token.is_symbol(";") || token.kind == TokenKind::End) return request;
    if (!token.is_word("SELECT") && !token.is_word("CREATE")) {
        const std::string words[] = {"ANALYZE", "SELECT", "CREATE", "PUMP", "APPLICATION"};
        return std::unexpected(sql::locate(
            statement, token.span,
            fmt::format("Expected ANALYZE, SELECT, CREATE PUMP, PUMP or APPLICATION after EXPLAIN, "
                        "found {}.{}",
                        token.describe(), sql::did_you_mean(token.text, words))));
    }
    request.text = std::string(statement);
    for (std::size_t i = 0; i < token.span.begin; ++i)
        if (request.text[i] != '\n') request.text[i] = ' ';
    return request;
}

}  // namespace tidemill::console

#include "operators/plan/bare_select.h"

#include <charconv>
#include <utility>

#include "operators/plan/bind_select.h"
#include "operators/plan/bind_statements.h"
#include "operators/sql/lexer.h"
#include "operators/sql/parser.h"

namespace tidemill::sql {
namespace {

std::string quoted(std::string_view name) {
    std::string text = "\"";
    for (const char c : name)
        text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + "\"";
}

/// Blanks, so that what follows keeps its line and column.
std::string blanked(std::string_view text) {
    std::string blank(text);
    for (char& c : blank)
        if (c != '\n') c = ' ';
    return blank;
}

}  // namespace

std::optional<std::size_t> find_bare_select(std::string_view sql_text) {
    const auto tokens = lex(sql_text);
    if (!tokens) return std::nullopt;
    const Token* first = nullptr;  // of the last statement
    bool is_start = true;
    for (const Token& token : *tokens) {
        if (token.kind == TokenKind::End) break;
        if (token.is_symbol(";")) {
            is_start = true;
            continue;
        }
        if (std::exchange(is_start, false)) first = &token;
    }
    if (first == nullptr || !first->is_word("SELECT")) return std::nullopt;
    return first->span.begin;
}

SqlResult<std::optional<std::uint64_t>> take_limit(std::string& sql_text) {
    const auto begin = find_bare_select(sql_text);
    if (!begin) return std::nullopt;
    const auto tokens = lex(sql_text);
    if (!tokens) return std::unexpected(tokens.error());
    int nesting = 0;
    for (std::size_t i = 0; i + 1 < tokens->size(); ++i) {
        const Token& token = (*tokens)[i];
        if (token.span.begin < *begin) continue;
        nesting += token.is_symbol("(") ? 1 : token.is_symbol(")") ? -1 : 0;
        if (nesting != 0 || !token.is_word("LIMIT")) continue;
        const Token& count = (*tokens)[i + 1];
        std::uint64_t limit = 0;
        const char* end = count.text.data() + count.text.size();
        if (count.kind != TokenKind::Number ||
            std::from_chars(count.text.data(), end, limit).ptr != end)
            return std::unexpected(
                locate(sql_text, count.span,
                       "Expected the number of rows after LIMIT, found " + count.describe() + "."));
        const Span place = Span::join(token.span, count.span);
        sql_text.replace(place.begin, place.end - place.begin, place.end - place.begin, ' ');
        return limit;
    }
    return std::nullopt;
}

SqlResult<std::string> expand_bare_select(std::string_view sql_text,
                                          std::span<const CatalogStream> inputs,
                                          std::span<const CatalogTable> tables) {
    const auto place = find_bare_select(sql_text);
    if (!place) return std::string(sql_text);
    const std::string_view before = sql_text.substr(0, *place);
    const auto plan = plan_application(before, inputs, tables);
    if (!plan) return std::unexpected(plan.error());
    // The SELECT alone, where it stood.
    std::string alone = blanked(before);
    std::string_view select_text = sql_text.substr(*place);
    const auto end = select_text.find_last_not_of("; \t\r\n");
    select_text = select_text.substr(0, end + 1);
    alone += select_text;
    const auto select = parse_select(alone);
    if (!select) return std::unexpected(select.error());
    SelectBinder binder(alone, plan->catalog);
    const auto bound = binder.bind(**select);
    if (!bound) return std::unexpected(bound.error());

    std::string text(before);
    text += "CREATE STREAM " + quoted(kBareSelectStream) + " (";
    const Schema& schema = (*bound)->schema;
    for (std::size_t i = 0; i < schema.size(); ++i) {
        const Type type = schema[i].type.kind == TypeKind::Null ? Type::varchar(1) : schema[i].type;
        text += (i == 0 ? "" : ", ") + quoted(schema[i].name) + " " + type.to_string();
    }
    text += "); CREATE PUMP \"QUERY_PUMP\" AS INSERT INTO " + quoted(kBareSelectStream) + "\n";
    text += select_text;
    return text += ";";
}

}  // namespace tidemill::sql

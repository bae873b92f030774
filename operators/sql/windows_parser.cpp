#include "operators/sql/expression_parser.h"

// TUMBLE(TABLE s, DESCRIPTOR(time), INTERVAL ...) and its kin, in FROM.
namespace tidemill::sql {

using ast::Expr;
using ast::ExprKind;
using ast::ExprPtr;

bool ExpressionParser::starts_windows() const {
    for (const auto name : {"TUMBLE", "HOP", "CUMULATE", "SESSION"})
        if (tokens_.is_word(name)) return tokens_.peek(1).is_symbol("(");
    return false;
}

SqlResult<ExprPtr> ExpressionParser::windows() {
    const Token name = tokens_.next();
    auto call = std::make_unique<Expr>();
    call->kind = ExprKind::Call;
    call->op = name.text;
    TRY(tokens_.expect_symbol("("));
    ASSIGN(auto input, windows_input());
    call->args.push_back(std::move(input));
    TRY(tokens_.expect_symbol(","));
    const Span begin = tokens_.peek().span;
    TRY(tokens_.expect_word("DESCRIPTOR"));
    auto descriptor = std::make_unique<Expr>();
    descriptor->kind = ExprKind::Call;
    descriptor->op = "DESCRIPTOR";
    TRY(tokens_.expect_symbol("("));
    auto time = std::make_unique<Expr>();
    time->kind = ExprKind::Column;
    const Span time_begin = tokens_.peek().span;
    do {
        ASSIGN(auto part, tokens_.expect_name("the name of the time column"));
        time->path.push_back(std::move(part));
    } while (tokens_.accept_symbol("."));
    ASSIGN(auto column, finish(std::move(time), time_begin));
    descriptor->args.push_back(std::move(column));
    TRY(tokens_.expect_symbol(")"));
    ASSIGN(auto described, finish(std::move(descriptor), begin));
    call->args.push_back(std::move(described));
    while (tokens_.accept_symbol(",")) {
        ASSIGN(auto length, expression());
        call->args.push_back(std::move(length));
    }
    TRY(tokens_.expect_symbol(")"));
    return finish(std::move(call), name.span);
}

// TABLE s, TABLE (SELECT ...), (SELECT ...) or CURSOR(SELECT ...), each with PARTITION BY behind
// it.
SqlResult<ExprPtr> ExpressionParser::windows_input() {
    if (tokens_.is_word("CURSOR")) return expression();
    const Span begin = tokens_.peek().span;
    auto cursor = std::make_unique<Expr>();
    cursor->kind = ExprKind::Cursor;
    const bool has_table = tokens_.accept_word("TABLE");
    if (tokens_.accept_symbol("(")) {
        if (tokens_.is_word("SELECT")) {
            ASSIGN(cursor->query, select());
        } else {
            return tokens_.expected("SELECT");
        }
        TRY(tokens_.expect_symbol(")"));
    } else if (has_table) {
        auto all = std::make_unique<ast::Select>();
        all->is_stream = true;
        auto star = std::make_unique<Expr>();
        star->kind = ExprKind::Star;
        ASSIGN(auto every, finish(std::move(star), begin));
        all->items.push_back({std::move(every), {}});
        const Span name_begin = tokens_.peek().span;
        do {
            ASSIGN(auto part, tokens_.expect_name("the name of a stream, or (SELECT ...)"));
            all->from.path.push_back(std::move(part));
        } while (tokens_.accept_symbol("."));
        all->from.span = tokens_.span_from(name_begin);
        all->span = tokens_.span_from(begin);
        cursor->query = std::move(all);
    } else {
        return tokens_.expected("TABLE and the name of a stream, or (SELECT ...)");
    }
    if (tokens_.accept_word("PARTITION")) {
        TRY(tokens_.expect_word("BY"));
        const bool is_list = tokens_.accept_symbol("(");
        for (bool has_more = true; has_more;) {
            ASSIGN(auto key, expression());
            cursor->args.push_back(std::move(key));
            // Without parentheses the comma before DESCRIPTOR ends the list.
            has_more = tokens_.is_symbol(",") && (is_list || !tokens_.is_word("DESCRIPTOR", 1));
            if (has_more) tokens_.next();
        }
        if (is_list) TRY(tokens_.expect_symbol(")"));
    }
    return finish(std::move(cursor), begin);
}

}  // namespace tidemill::sql

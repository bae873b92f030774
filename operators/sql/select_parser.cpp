#include <fmt/format.h>

#include "operators/sql/emit_parser.h"
#include "operators/sql/expression_parser.h"
#include "operators/sql/parser.h"

namespace tidemill::sql {

using ast::Expr;
using ast::ExprKind;
using ast::ExprPtr;

SqlResult<ast::SelectPtr> ExpressionParser::select() {
    if (nesting_ == 0) joins_ = 0;
    if (++nesting_ > kMaxNesting)
        return tokens_.failure(
            tokens_.peek().span,
            fmt::format("This is nested more than {} levels deep.", kMaxNesting));
    ASSIGN(auto first, single_select());
    while (tokens_.is_word("UNION")) {
        const Span span = tokens_.next().span;
        if (!tokens_.accept_word("ALL")) return tokens_.not_yet(span, "UNION without ALL");
        ASSIGN(auto branch, single_select());
        first->union_all.push_back(std::move(branch));
    }
    if (tokens_.accept_word("ORDER")) TRY(order_by(*first));
    TRY(emit_clause(*first));
    TRY(refuse_later_clauses());
    --nesting_;
    return first;
}

SqlResult<ast::SelectPtr> ExpressionParser::single_select() {
    const Span begin = tokens_.peek().span;
    TRY(tokens_.expect_word("SELECT"));
    auto select = std::make_unique<ast::Select>();
    select->is_stream = tokens_.accept_word("STREAM");
    select->is_distinct = tokens_.accept_word("DISTINCT");
    if (!select->is_distinct) tokens_.accept_word("ALL");
    do {
        ASSIGN(auto item, select_item());
        select->items.push_back(std::move(item));
    } while (tokens_.accept_symbol(","));
    if (!tokens_.accept_word("FROM")) return tokens_.expected("',' or FROM");
    ASSIGN(select->from, from_clause());
    if (tokens_.accept_word("WHERE")) {
        ASSIGN(select->where, expression());
    }
    if (tokens_.accept_word("WINDOWED")) {
        TRY(stagger_window(*select));
    } else if (tokens_.accept_word("GROUP")) {
        TRY(tokens_.expect_word("BY"));
        do {
            ASSIGN(auto key, expression());
            select->group_by.push_back(std::move(key));
        } while (tokens_.accept_symbol(","));
    }
    if (tokens_.accept_word("HAVING")) {
        ASSIGN(select->having, expression());
    }
    if (tokens_.accept_word("WINDOW")) {
        do {
            ast::NamedWindow window;
            ASSIGN(window.name, tokens_.expect_name("the name of the window"));
            TRY(tokens_.expect_word("AS"));
            TRY(tokens_.expect_symbol("("));
            ASSIGN(window.spec, window_spec(true));
            TRY(tokens_.expect_symbol(")"));
            select->windows.push_back(std::move(window));
        } while (tokens_.accept_symbol(","));
    }
    select->span = tokens_.span_from(begin);
    return select;
}

// BY expression [ASC | DESC], ...
SqlResult<void> ExpressionParser::order_items(std::vector<ast::OrderItem>& items) {
    TRY(tokens_.expect_word("BY"));
    do {
        ast::OrderItem item;
        ASSIGN(item.expr, expression());
        item.is_descending = tokens_.accept_word("DESC");
        if (!item.is_descending) tokens_.accept_word("ASC");
        items.push_back(std::move(item));
    } while (tokens_.accept_symbol(","));
    return {};
}

// BY expression [ASC | DESC], ... [WITHIN INTERVAL ...]
SqlResult<void> ExpressionParser::order_by(ast::Select& select) {
    TRY(order_items(select.order_by));
    if (!tokens_.accept_word("WITHIN")) return {};
    if (!tokens_.is_word("INTERVAL")) return tokens_.expected("INTERVAL '...' unit");
    ASSIGN(const auto length, interval_literal());
    if (length->literal.bits <= 0)
        return tokens_.failure(length->span, "WITHIN needs an interval longer than nothing.");
    select.within_millis = length->literal.bits;
    return {};
}

// BY STAGGER ([PARTITION BY keys] RANGE INTERVAL ... )
SqlResult<void> ExpressionParser::stagger_window(ast::Select& select) {
    TRY(tokens_.expect_word("BY"));
    TRY(tokens_.expect_word("STAGGER"));
    TRY(tokens_.expect_symbol("("));
    if (tokens_.accept_word("PARTITION")) {
        TRY(tokens_.expect_word("BY"));
        do {
            ASSIGN(auto key, expression());
            select.group_by.push_back(std::move(key));
        } while (tokens_.accept_symbol(","));
    }
    TRY(tokens_.expect_word("RANGE"));
    if (!tokens_.is_word("INTERVAL")) return tokens_.expected("INTERVAL '...' unit");
    ASSIGN(const auto length, interval_literal());
    if (length->literal.bits <= 0)
        return tokens_.failure(length->span, "A stagger window must be longer than nothing.");
    select.stagger_millis = length->literal.bits;
    tokens_.accept_word("PRECEDING");
    return tokens_.expect_symbol(")");
}

SqlResult<ast::SelectItem> ExpressionParser::select_item() {
    ast::SelectItem item;
    if (tokens_.is_symbol("*")) {
        const Span span = tokens_.next().span;
        item.expr = std::make_unique<Expr>();
        item.expr->kind = ExprKind::Star;
        item.expr->span = span;
        return item;
    }
    ASSIGN(item.expr, expression());
    if (item.expr->kind == ExprKind::Star) return item;
    const bool has_as = tokens_.accept_word("AS");
    const Token& after = tokens_.peek();
    if (has_as ||
        (after.is_name() && !(after.kind == TokenKind::Word && is_reserved(after.text)))) {
        ASSIGN(item.alias, tokens_.expect_name("an alias"));
    }
    return item;
}

SqlResult<void> ExpressionParser::refuse_later_clauses() {
    const Token& token = tokens_.peek();
    if (token.is_word("LIMIT"))
        return tokens_.failure(token.span,
                               "LIMIT ends a SELECT outside a pump; a pump has no end.");
    if (token.is_word("INTERSECT") || token.is_word("EXCEPT"))
        return tokens_.not_yet(token.span, token.text);
    return {};
}

SqlResult<ast::WindowSpec> ExpressionParser::window_spec(bool may_be_of_join) {
    ast::WindowSpec spec;
    const Span begin = tokens_.peek().span;
    if (tokens_.accept_word("PARTITION")) {
        TRY(tokens_.expect_word("BY"));
        do {
            ASSIGN(auto key, expression());
            spec.partition_by.push_back(std::move(key));
        } while (tokens_.accept_symbol(","));
    }
    if (tokens_.accept_word("ORDER")) {
        TRY(order_items(spec.order_by));
        if (tokens_.is_symbol(")")) {
            spec.has_frame = false;
            spec.span = tokens_.span_from(begin);
            return spec;
        }
    }
    if (tokens_.accept_word("ROWS"))
        spec.is_rows = true;
    else if (!tokens_.accept_word("RANGE"))
        return tokens_.expected("ROWS or RANGE");
    const bool has_between = tokens_.accept_word("BETWEEN");
    ASSIGN(spec.preceding, frame_start(spec, may_be_of_join, has_between));
    if (has_between && !spec.is_following) {
        TRY(tokens_.expect_word("AND"));
        TRY(tokens_.expect_word("CURRENT"));
        TRY(tokens_.expect_word("ROW"));
    }
    spec.span = tokens_.span_from(begin);
    return spec;
}

SqlResult<ExprPtr> ExpressionParser::frame_start(ast::WindowSpec& spec, bool may_be_of_join,
                                                 bool has_between) {
    const bool is_rows = spec.is_rows;
    if (tokens_.accept_word("CURRENT")) {
        TRY(tokens_.expect_word("ROW"));
        // BETWEEN CURRENT ROW AND INTERVAL ... FOLLOWING
        const bool reaches_forward =
            has_between && may_be_of_join && !is_rows && tokens_.is_word("INTERVAL", 1);
        if (!reaches_forward) return ExprPtr();
        TRY(tokens_.expect_word("AND"));
    }
    if (tokens_.is_word("UNBOUNDED"))
        return tokens_.not_yet(tokens_.peek().span, "UNBOUNDED PRECEDING");
    const Span begin = tokens_.peek().span;
    ExprPtr length;
    if (is_rows) {
        auto literal = std::make_unique<Expr>();
        ASSIGN(const auto count,
               tokens_.expect_integer("the number of preceding rows", 0, 1'000'000'000));
        literal->literal = Value::integer(count, TypeKind::Integer);
        ASSIGN(length, finish(std::move(literal), begin));
    } else {
        if (!tokens_.is_word("INTERVAL")) return tokens_.expected("INTERVAL '...' unit");
        ASSIGN(length, interval_literal());
        if (length->literal.bits < 0)
            return tokens_.failure(length->span, "A window cannot reach into the future.");
    }
    if (may_be_of_join && !is_rows && tokens_.accept_word("FOLLOWING")) {
        spec.is_following = true;
        return length;
    }
    if (tokens_.is_word("FOLLOWING"))
        return tokens_.failure(tokens_.peek().span,
                               "A window must end at the current row; "
                               "use PRECEDING.");
    TRY(tokens_.expect_word("PRECEDING"));
    return length;
}

}  // namespace tidemill::sql

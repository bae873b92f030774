#include <optional>

#include <fmt/format.h>

#include "operators/sql/emit_parser.h"
#include "operators/sql/expression_parser.h"
#include "operators/sql/parser.h"

// FROM: streams, reference tables, subqueries and table functions, and joins of them.
namespace tidemill::sql {

using ast::FromItem;
using ast::FromKind;
using ast::JoinKind;

namespace {

FromItem make_join(FromItem left, FromItem right, JoinKind kind) {
    FromItem join;
    join.kind = FromKind::Join;
    join.join = kind;
    join.span = Span::join(left.span, right.span);
    join.left = std::make_unique<FromItem>(std::move(left));
    join.right = std::make_unique<FromItem>(std::move(right));
    return join;
}

}  // namespace

// item, item ...: each comma is a join without a condition.
SqlResult<FromItem> ExpressionParser::from_clause() {
    ASSIGN(auto from, joined_items());
    while (tokens_.accept_symbol(",")) {
        TRY(count_join());
        ASSIGN(auto right, joined_items());
        from = make_join(std::move(from), std::move(right), JoinKind::Cross);
        from.is_comma = true;
    }
    return from;
}

SqlResult<void> ExpressionParser::count_join() {
    if (++joins_ <= kMaxJoins) return {};
    return tokens_.failure(tokens_.peek().span,
                           fmt::format("A query has at most {} joins.", kMaxJoins));
}

SqlResult<FromItem> ExpressionParser::joined_items() {
    ASSIGN(auto from, from_item());
    for (;;) {
        const bool is_natural = tokens_.accept_word("NATURAL");
        std::optional<JoinKind> kind;
        if (tokens_.accept_word("INNER"))
            kind = JoinKind::Inner;
        else if (tokens_.accept_word("LEFT"))
            kind = JoinKind::Left;
        else if (tokens_.accept_word("RIGHT"))
            kind = JoinKind::Right;
        else if (tokens_.accept_word("FULL"))
            kind = JoinKind::Full;
        else if (!is_natural && tokens_.accept_word("CROSS"))
            kind = JoinKind::Cross;
        const bool may_be_outer = kind && *kind != JoinKind::Inner && *kind != JoinKind::Cross;
        const bool is_outer = may_be_outer && tokens_.accept_word("OUTER");
        if (!kind && !is_natural && !tokens_.is_word("JOIN")) return from;
        if (!tokens_.accept_word("JOIN"))
            return tokens_.expected(may_be_outer && !is_outer ? "OUTER or JOIN" : "JOIN");
        TRY(count_join());
        ASSIGN(from, join_with(std::move(from), kind.value_or(JoinKind::Inner), is_natural));
    }
}

// The right side and the condition.
SqlResult<FromItem> ExpressionParser::join_with(FromItem left, JoinKind kind, bool is_natural) {
    ASSIGN(auto right, from_item());
    auto join = make_join(std::move(left), std::move(right), kind);
    join.is_natural = is_natural;
    if (kind == JoinKind::Cross || is_natural) {
        if (tokens_.is_word("ON") || tokens_.is_word("USING"))
            return tokens_.failure(tokens_.peek().span,
                                   is_natural
                                       ? "A NATURAL join has its condition from the columns that "
                                         "both sides have."
                                       : "A CROSS JOIN has no condition; JOIN has one.");
        return join;
    }
    if (tokens_.accept_word("ON")) {
        ASSIGN(join.on, expression());
        return join;
    }
    if (!tokens_.accept_word("USING"))
        return tokens_.expected("ON and the condition of the join, or USING (columns)");
    TRY(tokens_.expect_symbol("("));
    do {
        ASSIGN(auto name, tokens_.expect_name("the name of a column that both sides have"));
        join.using_columns.push_back(std::move(name));
    } while (tokens_.accept_symbol(","));
    TRY(tokens_.expect_symbol(")"));
    return join;
}

SqlResult<FromItem> ExpressionParser::from_item() {
    const Span begin = tokens_.peek().span;
    FromItem from;
    if (tokens_.is_word("TABLE") || tokens_.is_word("STREAM")) {
        tokens_.next();
        TRY(tokens_.expect_symbol("("));
        from.kind = FromKind::Function;
        const Token name = tokens_.peek();
        if (name.kind != TokenKind::Word || !tokens_.peek(1).is_symbol("("))
            return tokens_.expected("a table function such as RANDOM_CUT_FOREST(...)");
        if (starts_windows()) {
            ASSIGN(from.function, windows());
        } else {
            tokens_.next();
            ASSIGN(from.function, call(name.text, name.span));
        }
        TRY(tokens_.expect_symbol(")"));
    } else if (starts_windows()) {
        from.kind = FromKind::Function;
        ASSIGN(from.function, windows());
    } else if (tokens_.accept_symbol("(")) {
        if (tokens_.is_word("SELECT")) {
            from.kind = FromKind::Subquery;
            ASSIGN(from.query, select());
        } else {
            if (++nesting_ > kMaxNesting)
                return tokens_.failure(tokens_.peek().span, "This is nested too deep.");
            ASSIGN(from, from_clause());
            --nesting_;
        }
        TRY(tokens_.expect_symbol(")"));
    } else {
        do {
            ASSIGN(auto name,
                   tokens_.expect_name("the name of a stream, (SELECT ...) or TABLE(...)"));
            from.path.push_back(std::move(name));
        } while (tokens_.accept_symbol("."));
    }
    TRY(from_suffix(from));
    from.span = tokens_.span_from(begin);
    return from;
}

// [OVER window] [[AS] alias [(columns)]] [OVER window]
SqlResult<void> ExpressionParser::from_suffix(FromItem& from) {
    if (tokens_.is_word("OVER")) TRY(from_window(from));
    const bool has_as = tokens_.accept_word("AS");
    const Token& after = tokens_.peek();
    if (has_as || (after.is_name() && !starts_emit(tokens_) && !starts_select_options(tokens_) &&
                   !(after.kind == TokenKind::Word && is_reserved(after.text)))) {
        if (from.kind == FromKind::Join)
            return tokens_.failure(after.span,
                                   "A join in parentheses has no alias; its sides have theirs.");
        ASSIGN(from.alias, tokens_.expect_name("an alias"));
        from.columns.clear();
        if (tokens_.accept_symbol("(")) {
            do {
                ASSIGN(auto name, tokens_.expect_name("the name of a column"));
                from.columns.push_back(std::move(name));
            } while (tokens_.accept_symbol(","));
            TRY(tokens_.expect_symbol(")"));
        }
    }
    if (tokens_.is_word("OVER")) TRY(from_window(from));
    return {};
}

SqlResult<void> ExpressionParser::from_window(FromItem& from) {
    const Span span = tokens_.next().span;
    if (from.over || from.over_name)
        return tokens_.failure(span, "This side of the join has a window already.");
    if (!tokens_.accept_symbol("(")) {
        ASSIGN(from.over_name, tokens_.expect_name("the name of a window, or '('"));
        return {};
    }
    ASSIGN(auto spec, window_spec(true));
    from.over = std::make_unique<ast::WindowSpec>(std::move(spec));
    return tokens_.expect_symbol(")");
}

}  // namespace tidemill::sql

#include <fmt/format.h>

#include "operators/sql/expression_parser.h"

// Calls: the plain form f(a, b), and the functions that SQL gives a grammar of their own.
namespace tidemill::sql {

using ast::Expr;
using ast::ExprKind;
using ast::ExprPtr;

namespace {
constexpr int kAboveComparison = 4;  // POSITION(a IN b): `a` must stop before IN
}

SqlResult<ExprPtr> ExpressionParser::call(std::string name, Span begin) {
    tokens_.next();  // (
    auto expr = std::make_unique<Expr>();
    expr->kind = ExprKind::Call;
    expr->op = name == "CEILING" ? "CEIL" : std::move(name);
    if (!tokens_.accept_symbol(")")) {
        TRY(call_arguments(*expr));
        TRY(tokens_.expect_symbol(")"));
    }
    TRY(call_suffix(*expr));
    return finish(std::move(expr), begin);
}

SqlResult<void> ExpressionParser::call_arguments(Expr& call) {
    const auto add = [&](int min_precedence = 0) -> SqlResult<void> {
        ASSIGN(auto argument, expression(min_precedence));
        call.args.push_back(std::move(argument));
        return {};
    };
    if (tokens_.is_symbol("*")) {
        tokens_.next();
        call.is_star_call = true;
        return {};
    }
    if (call.op == "TRIM") return trim_arguments(call);
    if (call.op == "EXTRACT") {
        const auto unit =
            tokens_.peek().kind == TokenKind::Word ? parse_unit(tokens_.peek().text) : std::nullopt;
        if (!unit)
            return tokens_.expected("a time unit such as YEAR, MONTH, DAY, HOUR, MINUTE, SECOND");
        tokens_.next();
        call.unit = unit;
        TRY(tokens_.expect_word("FROM"));
        return add();
    }
    if (tokens_.accept_word("DISTINCT"))
        call.is_distinct = true;
    else
        tokens_.accept_word("ALL");
    if (call.op == "SUBSTRING") return substring_arguments(call);
    TRY(add(call.op == "POSITION" ? kAboveComparison : 0));
    if ((call.op == "FLOOR" || call.op == "CEIL") && tokens_.accept_word("TO")) {
        const auto unit =
            tokens_.peek().kind == TokenKind::Word ? parse_unit(tokens_.peek().text) : std::nullopt;
        if (!unit) return tokens_.expected("a time unit such as SECOND, MINUTE, HOUR, DAY");
        tokens_.next();
        call.unit = unit;
        return {};
    }
    if (call.op == "STEP") {
        TRY(tokens_.expect_word("BY"));
        ASSIGN(const auto is_calendar, step_by_calendar(call));
        if (is_calendar) return {};
        return add();
    }
    if (call.op == "POSITION" && tokens_.accept_word("IN")) return add();
    if (call.op == "OVERLAY" && tokens_.accept_word("PLACING")) TRY(add());
    if (call.op == "OVERLAY" && tokens_.accept_word("FROM")) {
        TRY(add());
        if (tokens_.accept_word("FOR")) TRY(add());
        return {};
    }
    while (tokens_.accept_symbol(","))
        TRY(add());
    return {};
}

// STEP(t BY INTERVAL '1' YEAR): months and years have no length, so it is FLOOR(t TO YEAR).
SqlResult<bool> ExpressionParser::step_by_calendar(Expr& call) {
    if (!tokens_.is_word("INTERVAL") || tokens_.peek(1).kind != TokenKind::String) return false;
    const auto unit =
        tokens_.peek(2).kind == TokenKind::Word ? parse_unit(tokens_.peek(2).text) : std::nullopt;
    if (!unit || unit_millis(*unit) != 0) return false;
    tokens_.next();
    const Token count = tokens_.next();
    if (count.text != "1")
        return tokens_.failure(count.span,
                               fmt::format("STEP by {}s takes one at a time: INTERVAL '1' {}.",
                                           unit_name(*unit), unit_name(*unit)));
    tokens_.next();
    call.op = "FLOOR";
    call.unit = unit;
    return true;
}

// SUBSTRING(text FROM start [FOR length]), (text FROM 'regex'), (text SIMILAR pattern ESCAPE c);
// with commas it is SUBSTR, which differs behind the end of the text.
SqlResult<void> ExpressionParser::substring_arguments(Expr& call) {
    const auto add = [&](int min_precedence = 0) -> SqlResult<void> {
        ASSIGN(auto argument, expression(min_precedence));
        call.args.push_back(std::move(argument));
        return {};
    };
    TRY(add());
    if (tokens_.accept_word("FROM")) {
        TRY(add());
        if (tokens_.accept_word("FOR")) TRY(add());
        return {};
    }
    if (tokens_.accept_word("SIMILAR")) {
        call.op = "SUBSTRING SIMILAR";
        TRY(add(kAboveComparison));
        TRY(tokens_.expect_word("ESCAPE"));
        return add(kAboveComparison);
    }
    if (!tokens_.is_symbol(",")) return tokens_.expected("FROM, SIMILAR or ','");
    call.op = "SUBSTR";
    while (tokens_.accept_symbol(","))
        TRY(add());
    return {};
}

// TRIM([BOTH | LEADING | TRAILING] [characters] FROM text) becomes TRIM, LTRIM or RTRIM (text [,
// characters]).
SqlResult<void> ExpressionParser::trim_arguments(Expr& call) {
    bool has_side = true;
    if (tokens_.accept_word("LEADING"))
        call.op = "LTRIM";
    else if (tokens_.accept_word("TRAILING"))
        call.op = "RTRIM";
    else
        has_side = tokens_.accept_word("BOTH");
    ExprPtr characters;
    if (!tokens_.is_word("FROM")) {
        ASSIGN(characters, expression());
        if (!tokens_.is_word("FROM")) {
            if (has_side) return tokens_.expected("FROM");
            call.args.push_back(std::move(characters));
            return {};
        }
    }
    tokens_.next();
    ASSIGN(auto text, expression());
    call.args.push_back(std::move(text));
    if (characters) call.args.push_back(std::move(characters));
    return {};
}

// [FROM FIRST | FROM LAST] [RESPECT NULLS | IGNORE NULLS], before OVER.
SqlResult<void> ExpressionParser::analytic_suffix(Expr& call) {
    if (call.op == "NTH_VALUE" && tokens_.accept_word("FROM")) {
        call.is_from_last = tokens_.accept_word("LAST");
        if (!call.is_from_last && !tokens_.accept_word("FIRST"))
            return tokens_.expected("FIRST or LAST");
    }
    const auto word = tokens_.peek();
    if (!word.is_word("IGNORE") && !word.is_word("RESPECT")) return {};
    tokens_.next();
    TRY(tokens_.expect_word("NULLS"));
    if (call.op != "FIRST_VALUE" && call.op != "LAST_VALUE" && call.op != "NTH_VALUE" &&
        call.op != "LAG")
        return tokens_.failure(word.span, fmt::format("{} does not take {} NULLS; FIRST_VALUE, "
                                                      "LAST_VALUE, NTH_VALUE and LAG do.",
                                                      call.op, word.text));
    call.ignores_nulls = word.text == "IGNORE";
    if (!tokens_.is_word("OVER")) return tokens_.expected("OVER");
    return {};
}

// FILTER (WHERE condition); FILTER alone may be an alias.
SqlResult<void> ExpressionParser::filter_suffix(Expr& call) {
    if (!tokens_.is_word("FILTER") || !tokens_.peek(1).is_symbol("(")) return {};
    tokens_.next();
    tokens_.next();
    TRY(tokens_.expect_word("WHERE"));
    ASSIGN(call.filter, expression());
    return tokens_.expect_symbol(")");
}

SqlResult<void> ExpressionParser::call_suffix(Expr& call) {
    TRY(analytic_suffix(call));
    TRY(filter_suffix(call));
    if (!tokens_.accept_word("OVER")) return {};
    if (tokens_.peek().is_name() && !tokens_.is_symbol("(")) {
        ASSIGN(call.over_name, tokens_.expect_name("the name of a window"));
        return {};
    }
    TRY(tokens_.expect_symbol("("));
    ASSIGN(auto spec, window_spec());
    TRY(tokens_.expect_symbol(")"));
    call.over = std::make_unique<ast::WindowSpec>(std::move(spec));
    return {};
}

}  // namespace tidemill::sql

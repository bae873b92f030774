#include "operators/sql/expression_parser.h"

#include <fmt/format.h>

#include "operators/sql/parser.h"

namespace tidemill::sql {

using ast::Expr;
using ast::ExprKind;
using ast::ExprPtr;

namespace {

// Binding powers; a higher number binds tighter.
constexpr int kOr = 1, kAnd = 2, kNot = 3, kCompare = 4, kAdd = 5, kMultiply = 6, kSign = 7;

int binary_precedence(const Token& token) {
    if (token.is_word("OR")) return kOr;
    if (token.is_word("AND")) return kAnd;
    if (token.kind != TokenKind::Symbol) return 0;
    const auto& s = token.text;
    if (s == "=" || s == "<>" || s == "<" || s == "<=" || s == ">" || s == ">=") return kCompare;
    if (s == "+" || s == "-" || s == "||") return kAdd;
    if (s == "*" || s == "/" || s == "%") return kMultiply;
    return 0;
}

// SIMILAR without TO belongs to SUBSTRING.
bool starts_predicate(const Token& token, const Token& next) {
    return token.is_word("BETWEEN") || token.is_word("IN") || token.is_word("LIKE") ||
           (token.is_word("SIMILAR") && next.is_word("TO"));
}

}  // namespace

// Counts how deep we are; lives in the frame that went deeper.
class ExpressionParser::Level {
 public:
    explicit Level(ExpressionParser& parser) : parser_(parser) { ++parser_.nesting_; }
    ~Level() { --parser_.nesting_; }
    bool is_too_deep() const { return parser_.nesting_ > kMaxNesting; }

 private:
    ExpressionParser& parser_;
};

SqlResult<ExprPtr> ExpressionParser::finish(ExprPtr expr, Span begin) {
    expr->span = tokens_.span_from(begin);
    for (const auto& arg : expr->args)
        expr->depth = std::max(expr->depth, arg->depth + 1);
    if (expr->depth > kMaxExprDepth)
        return tokens_.failure(
            begin, fmt::format("This expression is more than {} operators deep.", kMaxExprDepth));
    return expr;
}

SqlResult<ExprPtr> ExpressionParser::expression(int min_precedence) {
    const Level level(*this);
    if (level.is_too_deep())
        return tokens_.failure(
            tokens_.peek().span,
            fmt::format("This is nested more than {} levels deep.", kMaxNesting));
    const Span begin = tokens_.peek().span;
    ASSIGN(auto left, prefix());
    for (;;) {
        const Token& token = tokens_.peek();
        if (const int precedence = binary_precedence(token); precedence > min_precedence) {
            auto binary = std::make_unique<Expr>();
            binary->kind = ExprKind::Binary;
            binary->op = tokens_.next().text;
            ASSIGN(auto right, expression(precedence));
            binary->args.push_back(std::move(left));
            binary->args.push_back(std::move(right));
            ASSIGN(left, finish(std::move(binary), begin));
            continue;
        }
        if (min_precedence >= kCompare) return left;
        if (token.is_word("IS")) {
            ASSIGN(left, is_predicate(std::move(left)));
        } else if (starts_predicate(token, tokens_.peek(1))) {
            ASSIGN(left, predicate(std::move(left), false));
        } else if (token.is_word("NOT") && starts_predicate(tokens_.peek(1), tokens_.peek(2))) {
            tokens_.next();
            ASSIGN(left, predicate(std::move(left), true));
        } else if (starts_temporal(*left)) {
            ASSIGN(left, temporal_predicate(std::move(left)));
        } else {
            return left;
        }
    }
}

SqlResult<ExprPtr> ExpressionParser::prefix() {
    const Token token = tokens_.peek();
    const bool is_sign = token.is_symbol("-") || token.is_symbol("+");
    if (!is_sign && !token.is_word("NOT")) return primary();
    tokens_.next();
    auto unary = std::make_unique<Expr>();
    unary->kind = ExprKind::Unary;
    unary->op = token.text;
    ASSIGN(auto operand, expression(is_sign ? kSign : kNot));
    unary->args.push_back(std::move(operand));
    return finish(std::move(unary), token.span);
}

SqlResult<ExprPtr> ExpressionParser::is_predicate(ExprPtr left) {
    const Span begin = left->span;
    tokens_.next();
    auto test = std::make_unique<Expr>();
    test->is_negated = tokens_.accept_word("NOT");
    test->args.push_back(std::move(left));
    const Token& what = tokens_.peek();
    if (what.is_word("NULL")) {
        test->kind = ExprKind::IsNull;
    } else if (what.is_word("TRUE") || what.is_word("FALSE") || what.is_word("UNKNOWN")) {
        test->kind = ExprKind::IsTruth;
        test->op = what.text;
    } else if (what.is_word("DISTINCT")) {
        test->kind = ExprKind::Distinct;
        tokens_.next();
        TRY(tokens_.expect_word("FROM"));
        ASSIGN(auto right, expression(kCompare));
        test->args.push_back(std::move(right));
        return finish(std::move(test), begin);
    } else {
        return tokens_.expected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
    }
    tokens_.next();
    return finish(std::move(test), begin);
}

SqlResult<ExprPtr> ExpressionParser::predicate(ExprPtr left, bool is_negated) {
    if (tokens_.is_word("IN")) return in_predicate(std::move(left), is_negated);
    const Span begin = left->span;
    auto test = std::make_unique<Expr>();
    test->is_negated = is_negated;
    test->args.push_back(std::move(left));
    if (tokens_.accept_word("BETWEEN")) {
        test->kind = ExprKind::Between;
        ASSIGN(auto low, expression(kCompare));
        TRY(tokens_.expect_word("AND"));
        ASSIGN(auto high, expression(kCompare));
        test->args.push_back(std::move(low));
        test->args.push_back(std::move(high));
        return finish(std::move(test), begin);
    }
    test->kind = ExprKind::Like;
    test->op = tokens_.next().text;
    if (test->op == "SIMILAR") TRY(tokens_.expect_word("TO"));
    ASSIGN(auto pattern, expression(kCompare));
    test->args.push_back(std::move(pattern));
    if (tokens_.accept_word("ESCAPE")) {
        ASSIGN(auto escape, expression(kCompare));
        test->args.push_back(std::move(escape));
    }
    return finish(std::move(test), begin);
}

SqlResult<ExprPtr> ExpressionParser::in_predicate(ExprPtr left, bool is_negated) {
    const Span begin = left->span;
    auto test = std::make_unique<Expr>();
    test->kind = ExprKind::In;
    test->is_negated = is_negated;
    test->args.push_back(std::move(left));
    tokens_.next();
    TRY(tokens_.expect_symbol("("));
    if (tokens_.is_word("SELECT"))
        return tokens_.failure(tokens_.peek().span,
                               "IN with a subquery is not offered: over an endless stream it would "
                               "never end. Use a join.");
    do {
        ASSIGN(auto candidate, expression());
        test->args.push_back(std::move(candidate));
    } while (tokens_.accept_symbol(","));
    TRY(tokens_.expect_symbol(")"));
    return finish(std::move(test), begin);
}

}  // namespace tidemill::sql

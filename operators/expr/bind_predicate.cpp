#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/bind_expression.h"
#include "operators/expr/in_list.h"
#include "operators/expr/logic.h"

// Predicates of row values and of periods come down to comparisons of their members.
namespace tidemill::sql {

using ast::Expr;
using ast::ExprKind;

SqlResult<ExpressionPtr> ExpressionBinder::bind_distinct(const Expr& expr) {
    std::vector<ExpressionPtr> sides;
    for (const auto& arg : expr.args) {
        ASSIGN(auto side, bind(*arg));
        sides.push_back(std::move(side));
    }
    TRY(unify(expr, sides));
    return make_distinct(std::move(sides[0]), std::move(sides[1]), expr.is_negated);
}

SqlResult<ExpressionPtr> ExpressionBinder::compare(std::string_view op, const Expr& left,
                                                   const Expr& right) {
    ASSIGN(auto a, bind(left));
    ASSIGN(auto b, bind(right));
    return bind_comparison(left, op, std::move(a), std::move(b));
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_row_equality(const Expr& left, const Expr& right) {
    if (left.kind != ExprKind::Row || right.kind != ExprKind::Row ||
        left.args.size() != right.args.size())
        return failure(right.span, fmt::format("Expected a row value of {} members here.",
                                               left.kind == ExprKind::Row ? left.args.size() : 1));
    ExpressionPtr all;
    for (std::size_t i = 0; i < left.args.size(); ++i) {
        ASSIGN(auto one, compare("=", *left.args[i], *right.args[i]));
        all = all ? make_and(std::move(all), std::move(one)) : std::move(one);
    }
    return all;
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_row_comparison(const Expr& expr) {
    if (expr.op != "=" && expr.op != "<>")
        return failure(expr.span, fmt::format("'{}' does not take row values.", expr.op));
    ASSIGN(auto equal, bind_row_equality(*expr.args[0], *expr.args[1]));
    return expr.op == "=" ? std::move(equal) : make_not(std::move(equal));
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_row_in(const Expr& expr) {
    ExpressionPtr any;
    for (std::size_t i = 1; i < expr.args.size(); ++i) {
        ASSIGN(auto one, bind_row_equality(*expr.args[0], *expr.args[i]));
        any = any ? make_or(std::move(any), std::move(one)) : std::move(one);
    }
    return expr.is_negated ? make_not(std::move(any)) : std::move(any);
}

// a b c with two predicates means: a with b, and b with c.
SqlResult<ExpressionPtr> ExpressionBinder::bind_temporal(const Expr& expr) {
    std::string_view ops = expr.op;
    ExpressionPtr all;
    for (std::size_t i = 1; i < expr.args.size(); ++i) {
        const auto op = ops.substr(0, ops.find(','));
        ops.remove_prefix(std::min(op.size() + 1, ops.size()));
        ASSIGN(auto one, bind_temporal_pair(op, *expr.args[i - 1], *expr.args[i]));
        all = all ? make_and(std::move(all), std::move(one)) : std::move(one);
    }
    return all;
}

// A period holds its start and not its end; a moment is a period of no length.
SqlResult<ExpressionPtr> ExpressionBinder::bind_temporal_pair(std::string_view op, const Expr& left,
                                                              const Expr& right) {
    for (const auto* side : {&left, &right})
        if (side->kind == ExprKind::Row && side->args.size() != 2)
            return failure(side->span, "A period has two members: its start and its end.");
    const bool is_moment = right.kind != ExprKind::Row;
    const auto& a = left.kind == ExprKind::Row ? *left.args[0] : left;
    const auto& b = left.kind == ExprKind::Row ? *left.args[1] : left;
    const auto& c = is_moment ? right : *right.args[0];
    const auto& d = is_moment ? right : *right.args[1];
    struct Part {
        const Expr* left;
        std::string_view op;
        const Expr* right;
    };
    std::vector<Part> parts;
    if (op == "EQUALS")
        parts = {{&a, "=", &c}, {&b, "=", &d}};
    else if (op == "CONTAINS")
        parts = {{&a, "<=", &c}, {&d, is_moment ? "<" : "<=", &b}};
    else if (op == "STRICTLY CONTAINS")
        parts = {{&a, "<", &c}, {&d, "<", &b}};
    else if (op == "OVERLAPS")
        parts = {{&a, is_moment ? "<=" : "<", &d}, {&c, "<", &b}};
    else if (op == "STRICTLY OVERLAPS")
        parts = {{&a, "<", &c}, {&c, "<", &b}, {&b, "<", &d}};
    else if (op == "PRECEDES")
        parts = {{&b, "<=", &c}};
    else if (op == "STRICTLY PRECEDES")
        parts = {{&b, "<", &c}};
    else if (op == "IMMEDIATELY PRECEDES")
        parts = {{&b, "=", &c}};
    else if (op == "SUCCEEDS")
        parts = {{&a, ">=", &d}};
    else if (op == "STRICTLY SUCCEEDS")
        parts = {{&a, ">", &d}};
    else if (op == "IMMEDIATELY SUCCEEDS")
        parts = {{&a, "=", &d}};
    else if (op == "LEADS")
        parts = {{&a, "<", &c}, {&c, "<", &b}, {&b, "<=", &d}};
    else if (op == "STRICTLY LEADS")
        parts = {{&a, "<", &c}, {&c, "<", &b}, {&b, "<", &d}};
    else if (op == "IMMEDIATELY LEADS")
        parts = {{&a, "<", &c}, {&b, "=", &d}};
    else if (op == "LAGS")
        parts = {{&c, "<=", &a}, {&a, "<", &d}, {&d, "<", &b}};
    else if (op == "STRICTLY LAGS")
        parts = {{&c, "<", &a}, {&a, "<", &d}, {&d, "<", &b}};
    else
        parts = {{&c, "=", &a}, {&d, "<", &b}};
    ExpressionPtr all;
    for (const auto& part : parts) {
        ASSIGN(auto one, compare(part.op, *part.left, *part.right));
        all = all ? make_and(std::move(all), std::move(one)) : std::move(one);
    }
    return all;
}

}  // namespace tidemill::sql

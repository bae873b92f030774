#include "operators/expr/bind_expression.h"

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/arithmetic.h"
#include "operators/expr/cast.h"
#include "operators/expr/comparison.h"
#include "operators/expr/function.h"
#include "operators/expr/in_list.h"
#include "operators/expr/logic.h"
#include "operators/expr/monotonicity.h"
#include "operators/expr/pattern.h"

namespace tidemill::sql {

using ast::ExprKind;

namespace {

ExpressionPtr make_kernel(std::string name, Type type, Kernel kernel, ExpressionPtr a,
                          ExpressionPtr b = {}) {
    std::vector<ExpressionPtr> args;
    args.push_back(std::move(a));
    if (b) args.push_back(std::move(b));
    return std::make_unique<KernelExpression>(std::move(name), type, kernel, std::move(args));
}

}  // namespace

SqlResult<ExpressionPtr> ExpressionBinder::bind(const ast::Expr& expr) {
    if (intercept_) {
        ASSIGN(auto mine, intercept_(expr));
        if (mine) return mine;
    }
    switch (expr.kind) {
        case ExprKind::Literal:
            return std::make_unique<Literal>(expr.literal);
        case ExprKind::Column:
            return bind_column(expr);
        case ExprKind::Unary:
            return bind_unary(expr);
        case ExprKind::Binary:
            return bind_binary(expr);
        case ExprKind::Call:
            return bind_call(expr);
        case ExprKind::Cast:
            return bind_cast(expr);
        case ExprKind::Case:
            return bind_case(expr);
        case ExprKind::Between:
            return bind_between(expr);
        case ExprKind::In:
            return bind_in(expr);
        case ExprKind::Like:
            return bind_like(expr);
        case ExprKind::IsNull:
        case ExprKind::IsTruth:
            return bind_test(expr);
        case ExprKind::Interval:
            return bind_interval(expr);
        case ExprKind::Distinct:
            return bind_distinct(expr);
        case ExprKind::Temporal:
            return bind_temporal(expr);
        case ExprKind::Row:
            return failure(expr.span,
                           "A row value stands only in =, <>, IN and predicates of "
                           "periods.");
        case ExprKind::Star:
            return failure(expr.span, "* stands only in a select list or in COUNT(*).");
        case ExprKind::Cursor:
            return failure(expr.span,
                           "CURSOR(...) stands only as an argument of a table function.");
    }
    return failure(expr.span, "This expression is not supported yet.");
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_condition(const ast::Expr& expr,
                                                          std::string_view what) {
    ASSIGN(auto condition, bind(expr));
    return as_boolean(expr, std::move(condition), what);
}

SqlResult<ExpressionPtr> ExpressionBinder::as_boolean(const ast::Expr& at, ExpressionPtr value,
                                                      std::string_view what) {
    if (value->type().kind != TypeKind::Boolean && value->type().kind != TypeKind::Null)
        return failure(at.span, fmt::format("{} needs a BOOLEAN, this is {}.", what,
                                            value->type().to_string()));
    return cast_to(std::move(value), TypeKind::Boolean);
}

SqlResult<std::vector<ExpressionPtr>> ExpressionBinder::bind_all(
    const std::vector<ast::ExprPtr>& exprs) {
    std::vector<ExpressionPtr> bound;
    for (const auto& expr : exprs) {
        ASSIGN(auto one, bind(*expr));
        bound.push_back(std::move(one));
    }
    return bound;
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_column(const ast::Expr& expr) {
    if (scope_.is_rowtime(expr.path)) return std::make_unique<RowtimeReference>();
    const auto index = scope_.find(expr.path);
    if (!index) return std::unexpected(scope_.unknown_column(expr));
    const auto& column = scope_.columns[*index];
    if (column.monotonicity == Monotonicity::Rowtime) return std::make_unique<RowtimeReference>();
    auto reference = std::make_unique<ColumnReference>(column.type, *index, column.name);
    reference->monotonicity = column.monotonicity;
    reference->is_nullable = column.is_nullable;
    return reference;
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_unary(const ast::Expr& expr) {
    ASSIGN(auto operand, bind(*expr.args[0]));
    if (expr.op == "NOT") {
        ASSIGN(auto condition, as_boolean(*expr.args[0], std::move(operand), "NOT"));
        return make_not(std::move(condition));
    }
    const auto signature = resolve_negation(operand->type());
    if (!signature)
        return failure(expr.span,
                       fmt::format("'{}' does not take {}.", expr.op, operand->type().to_string()));
    if (expr.op == "+") return operand;
    if (const auto* literal = dynamic_cast<const Literal*>(operand.get());
        literal != nullptr && !literal->value().is_null) {
        Value value = literal->value();
        if (value.type.storage() == Storage::Double)
            value = Value::integer(std::bit_cast<std::int64_t>(-value.as_double()), value.type);
        else
            value.bits = -value.bits;
        return std::make_unique<Literal>(value);
    }
    const auto monotonicity = reversed(operand->monotonicity);
    auto bound = make_kernel("-", signature->result, signature->kernel,
                             cast_to(std::move(operand), signature->parameters[0]));
    bound->monotonicity = monotonicity;
    return bound;
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_binary(const ast::Expr& expr) {
    if (expr.args[0]->kind == ExprKind::Row || expr.args[1]->kind == ExprKind::Row)
        return bind_row_comparison(expr);
    ASSIGN(auto left, bind(*expr.args[0]));
    ASSIGN(auto right, bind(*expr.args[1]));
    if (expr.op == "AND" || expr.op == "OR") {
        ASSIGN(auto a, as_boolean(*expr.args[0], std::move(left), expr.op));
        ASSIGN(auto b, as_boolean(*expr.args[1], std::move(right), expr.op));
        return expr.op == "AND" ? make_and(std::move(a), std::move(b))
                                : make_or(std::move(a), std::move(b));
    }
    if (expr.op == "=" || expr.op == "<>" || expr.op[0] == '<' || expr.op[0] == '>')
        return bind_comparison(expr, expr.op, std::move(left), std::move(right));
    return bind_arithmetic(expr, std::move(left), std::move(right));
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_arithmetic(const ast::Expr& expr,
                                                           ExpressionPtr left,
                                                           ExpressionPtr right) {
    const Type types[] = {left->type(), right->type()};
    const auto signature = expr.op == "||" ? find_function("||")->resolve(types)
                                           : resolve_arithmetic(expr.op[0], types[0], types[1]);
    if (!signature) {
        const bool is_text_number = expr.op != "||" && (types[0].is_text() || types[1].is_text());
        return failure(expr.span,
                       fmt::format("'{}' does not take {} and {}.{}", expr.op, types[0].to_string(),
                                   types[1].to_string(), is_text_number ? " Use CAST." : ""));
    }
    const auto monotonicity = expr.op == "||"
                                  ? Monotonicity::None
                                  : monotonicity_of_arithmetic(expr.op[0], *left, *right);
    auto bound = make_kernel(expr.op, signature->result, signature->kernel,
                             cast_to(std::move(left), signature->parameters[0]),
                             cast_to(std::move(right), signature->parameters[1]));
    bound->monotonicity = monotonicity;
    return bound;
}

SqlResult<Type> ExpressionBinder::unify(const ast::Expr& at, std::vector<ExpressionPtr>& values) {
    Type type;
    for (const auto& value : values) {
        const auto common = common_type(type, value->type());
        if (!common)
            return failure(at.span, fmt::format("{} and {} have no type in common. Use CAST.",
                                                type.to_string(), value->type().to_string()));
        type = *common;
    }
    for (auto& value : values)
        value = cast_to(std::move(value), type);
    return type;
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_comparison(const ast::Expr& at, std::string_view op,
                                                           ExpressionPtr left,
                                                           ExpressionPtr right) {
    const auto common = common_type(left->type(), right->type());
    if (!common)
        return failure(at.span, fmt::format("{} and {} cannot be compared. Use CAST.",
                                            left->type().to_string(), right->type().to_string()));
    return make_kernel(std::string(op), TypeKind::Boolean, comparison_kernel(op, common->storage()),
                       cast_to(std::move(left), *common), cast_to(std::move(right), *common));
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_cast(const ast::Expr& expr) {
    ASSIGN(auto operand, bind(*expr.args[0]));
    if (!cast_kernel(operand->type(), expr.type))
        return failure(expr.span, fmt::format("{} cannot be cast to {}.",
                                              operand->type().to_string(), expr.type.to_string()));
    return cast_to(std::move(operand), expr.type);
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_case(const ast::Expr& expr) {
    std::vector<ExpressionPtr> conditions, values;
    const std::size_t first = expr.has_operand ? 1 : 0;
    const std::size_t end = expr.args.size() - (expr.has_else ? 1 : 0);
    for (std::size_t i = first; i < end; i += 2) {
        ASSIGN(auto when, bind(*expr.args[i]));
        if (expr.has_operand) {
            // CASE x WHEN y is CASE WHEN x = y.
            ASSIGN(auto operand, bind(*expr.args[0]));
            ASSIGN(when, bind_comparison(*expr.args[i], "=", std::move(operand), std::move(when)));
        }
        ASSIGN(auto condition, as_boolean(*expr.args[i], std::move(when), "WHEN"));
        ASSIGN(auto value, bind(*expr.args[i + 1]));
        conditions.push_back(std::move(condition));
        values.push_back(std::move(value));
    }
    if (expr.has_else) {
        ASSIGN(auto otherwise, bind(*expr.args.back()));
        values.push_back(std::move(otherwise));
    }
    ASSIGN(const auto type, unify(expr, values));
    return make_case(type, std::move(conditions), std::move(values));
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_between(const ast::Expr& expr) {
    ASSIGN(auto value, bind(*expr.args[0]));
    ASSIGN(auto again, bind(*expr.args[0]));
    ASSIGN(auto low, bind(*expr.args[1]));
    ASSIGN(auto high, bind(*expr.args[2]));
    ASSIGN(auto above, bind_comparison(expr, ">=", std::move(value), std::move(low)));
    ASSIGN(auto below, bind_comparison(expr, "<=", std::move(again), std::move(high)));
    auto both = make_and(std::move(above), std::move(below));
    return expr.is_negated ? make_not(std::move(both)) : std::move(both);
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_in(const ast::Expr& expr) {
    if (expr.args[0]->kind == ExprKind::Row) return bind_row_in(expr);
    ASSIGN(auto args, bind_all(expr.args));
    TRY(unify(expr, args));
    return make_in_list(std::move(args), expr.is_negated);
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_like(const ast::Expr& expr) {
    ASSIGN(auto args, bind_all(expr.args));
    for (auto& arg : args) {
        if (!arg->type().is_text() && arg->type().kind != TypeKind::Null)
            return failure(expr.span, fmt::format("{} needs texts, not {}.", expr.op,
                                                  arg->type().to_string()));
        arg = cast_to(std::move(arg), Type::varchar());
    }
    return make_pattern_test(std::move(args[0]), std::move(args[1]),
                             args.size() > 2 ? std::move(args[2]) : nullptr, expr.op == "SIMILAR",
                             expr.is_negated);
}

SqlResult<ExpressionPtr> ExpressionBinder::bind_test(const ast::Expr& expr) {
    ASSIGN(auto operand, bind(*expr.args[0]));
    if (expr.kind == ExprKind::IsNull) return make_is_null(std::move(operand), expr.is_negated);
    ASSIGN(auto condition, as_boolean(*expr.args[0], std::move(operand), "IS " + expr.op));
    if (expr.op == "UNKNOWN") return make_is_null(std::move(condition), expr.is_negated);
    return make_is_truth(std::move(condition), expr.op == "TRUE", expr.is_negated);
}

// (a - b) MINUTE TO SECOND
SqlResult<ExpressionPtr> ExpressionBinder::bind_interval(const ast::Expr& expr) {
    ASSIGN(auto left, bind(*expr.args[0]));
    ASSIGN(auto right, bind(*expr.args[1]));
    const auto signature = resolve_arithmetic('-', left->type(), right->type());
    if (!signature || signature->result.kind != TypeKind::Interval)
        return failure(expr.span, "Only the difference of two times makes an interval.");
    auto difference = make_kernel("-", signature->result, signature->kernel,
                                  cast_to(std::move(left), signature->parameters[0]),
                                  cast_to(std::move(right), signature->parameters[1]));
    return cast_to(std::move(difference), expr.type);
}

}  // namespace tidemill::sql

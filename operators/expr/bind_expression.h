#pragma once

#include <functional>

#include "operators/expr/scope.h"

namespace tidemill::sql {

/// Turns syntax into bound, typed expressions over a scope.
/// Errors: unknown names (with the nearest one), wrong argument types, parts of the dialect that
/// are not offered yet.
class ExpressionBinder {
 public:
    /// Sees every node first; a null pointer means "not mine". Grouped and windowed queries put the
    /// results of aggregates and keys in place this way.
    using Intercept = std::function<SqlResult<ExpressionPtr>(const ast::Expr&)>;

    explicit ExpressionBinder(const Scope& scope, Intercept intercept = {})
        : scope_(scope), intercept_(std::move(intercept)) {}

    SqlResult<ExpressionPtr> bind(const ast::Expr& expr);
    /// The same, and it must be BOOLEAN (`what` is "WHERE" or "HAVING").
    SqlResult<ExpressionPtr> bind_condition(const ast::Expr& expr, std::string_view what);

 private:
    SqlResult<ExpressionPtr> bind_column(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_unary(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_binary(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_arithmetic(const ast::Expr& expr, ExpressionPtr left,
                                             ExpressionPtr right);
    SqlResult<ExpressionPtr> bind_comparison(const ast::Expr& at, std::string_view op,
                                             ExpressionPtr left, ExpressionPtr right);
    SqlResult<ExpressionPtr> bind_call(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_cast(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_case(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_between(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_in(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_like(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_test(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_interval(const ast::Expr& expr);
    // bind_predicate.cpp: predicates of rows and periods
    SqlResult<ExpressionPtr> bind_distinct(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_temporal(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_temporal_pair(std::string_view op, const ast::Expr& left,
                                                const ast::Expr& right);
    SqlResult<ExpressionPtr> bind_row_equality(const ast::Expr& left, const ast::Expr& right);
    SqlResult<ExpressionPtr> bind_row_comparison(const ast::Expr& expr);
    SqlResult<ExpressionPtr> bind_row_in(const ast::Expr& expr);
    SqlResult<ExpressionPtr> compare(std::string_view op, const ast::Expr& left,
                                     const ast::Expr& right);
    SqlResult<std::vector<ExpressionPtr>> bind_all(const std::vector<ast::ExprPtr>& exprs);
    /// Brings all to the type that they have in common.
    SqlResult<Type> unify(const ast::Expr& at, std::vector<ExpressionPtr>& values);
    SqlResult<ExpressionPtr> as_boolean(const ast::Expr& at, ExpressionPtr value,
                                        std::string_view what);
    std::unexpected<SqlError> failure(Span span, std::string message) const {
        return std::unexpected(locate(scope_.sql_text, span, std::move(message)));
    }

    const Scope& scope_;
    Intercept intercept_;
};

}  // namespace tidemill::sql

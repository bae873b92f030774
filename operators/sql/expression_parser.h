#pragma once

#include "operators/sql/token_cursor.h"

namespace tidemill::sql {

/// Expressions by precedence climbing (Pratt), SELECT and its clauses by recursive descent.
/// `parser.cpp` adds the statements.
class ExpressionParser {
 public:
    explicit ExpressionParser(TokenCursor& tokens) : tokens_(tokens) {}

    SqlResult<ast::ExprPtr> expression(int min_precedence = 0);
    SqlResult<ast::SelectPtr> select();
    SqlResult<Type> type();

 private:
    class Level;

    // expression_parser.cpp: operators
    SqlResult<ast::ExprPtr> prefix();
    SqlResult<ast::ExprPtr> predicate(ast::ExprPtr left, bool is_negated);
    SqlResult<ast::ExprPtr> is_predicate(ast::ExprPtr left);
    SqlResult<ast::ExprPtr> in_predicate(ast::ExprPtr left, bool is_negated);
    SqlResult<ast::ExprPtr> finish(ast::ExprPtr expr, Span begin);

    // temporal_parser.cpp: predicates of periods
    bool starts_temporal(const ast::Expr& left) const;
    SqlResult<ast::ExprPtr> temporal_predicate(ast::ExprPtr left);

    // primary_parser.cpp: what stands between operators
    SqlResult<ast::ExprPtr> primary();
    SqlResult<ast::ExprPtr> parenthesised();
    SqlResult<ast::ExprPtr> number();
    SqlResult<ast::ExprPtr> typed_literal(Type type);
    SqlResult<ast::ExprPtr> interval_literal();
    SqlResult<ast::ExprPtr> binary_literal();
    SqlResult<Type> interval_qualifier();
    SqlResult<ast::ExprPtr> case_expression();
    SqlResult<ast::ExprPtr> cast();
    SqlResult<ast::ExprPtr> name_or_call();
    SqlResult<ast::ExprPtr> call(std::string name, Span begin);
    SqlResult<void> call_arguments(ast::Expr& call);
    SqlResult<void> trim_arguments(ast::Expr& call);
    SqlResult<bool> step_by_calendar(ast::Expr& call);
    SqlResult<void> substring_arguments(ast::Expr& call);
    SqlResult<void> call_suffix(ast::Expr& call);
    SqlResult<void> filter_suffix(ast::Expr& call);
    SqlResult<void> analytic_suffix(ast::Expr& call);

    // select_parser.cpp
    SqlResult<ast::SelectPtr> single_select();
    SqlResult<ast::SelectItem> select_item();
    SqlResult<void> stagger_window(ast::Select& select);
    SqlResult<void> order_items(std::vector<ast::OrderItem>& items);
    SqlResult<void> order_by(ast::Select& select);
    /// [EMIT ...] [WITH (name = value, ...)], the end of a SELECT: emit_parser.cpp
    SqlResult<void> emit_clause(ast::Select& select);
    SqlResult<void> refuse_later_clauses();
    /// Windows of joins may also reach forward and name their order.
    SqlResult<ast::WindowSpec> window_spec(bool may_be_of_join = false);
    SqlResult<ast::ExprPtr> frame_start(ast::WindowSpec& spec, bool may_be_of_join,
                                        bool has_between);

    // from_parser.cpp
    SqlResult<ast::FromItem> from_clause();
    SqlResult<ast::FromItem> joined_items();
    SqlResult<ast::FromItem> join_with(ast::FromItem left, ast::JoinKind kind, bool is_natural);
    SqlResult<ast::FromItem> from_item();
    SqlResult<void> from_suffix(ast::FromItem& from);
    SqlResult<void> from_window(ast::FromItem& from);
    SqlResult<void> count_join();

    // windows_parser.cpp
    bool starts_windows() const;
    SqlResult<ast::ExprPtr> windows();
    SqlResult<ast::ExprPtr> windows_input();

    TokenCursor& tokens_;
    std::uint32_t nesting_ = 0, joins_ = 0;
};

}  // namespace tidemill::sql

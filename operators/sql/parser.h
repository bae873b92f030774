#pragma once

#include <string_view>
#include <vector>

#include "operators/sql/ast.h"

namespace tidemill::sql {

/// Levels of nesting in one statement (parentheses, CASE, subqueries).
inline constexpr std::uint32_t kMaxNesting = 200;
/// Joins in one query, with those of its subqueries.
inline constexpr std::uint32_t kMaxJoins = 64;
/// Length of the longest path through an expression tree (`a + b + c + ...` is as deep as it is
/// long).
inline constexpr std::uint32_t kMaxExprDepth = 1000;

/// Parses a whole application: statements separated by `;`.
/// Errors: the first place that does not fit, with what was expected there. Parts of the dialect
/// that are not offered yet are named as such.
SqlResult<std::vector<ast::Statement>> parse(std::string_view sql_text);
/// Parses one expression (tests, tools).
SqlResult<ast::ExprPtr> parse_expression(std::string_view sql_text);
/// Parses one SELECT without pump.
SqlResult<ast::SelectPtr> parse_select(std::string_view sql_text);

}  // namespace tidemill::sql

#pragma once

#include <string_view>

#include "operators/expr/expression.h"

namespace tidemill::sql {

/// What is known of an expression's movement from its parts. Source: Kinesis Data Analytics SQL
/// Reference, "Monotonic Expressions and Operators".
Monotonicity reversed(Monotonicity monotonicity);
Monotonicity monotonicity_of_arithmetic(char op, const Expression& left, const Expression& right);
/// By name of the function ($FLOOR_TO and $CEIL_TO for the forms with a unit).
Monotonicity monotonicity_of_call(std::string_view name, const std::vector<ExpressionPtr>& args);

}  // namespace tidemill::sql

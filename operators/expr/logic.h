#pragma once

#include "operators/expr/expression.h"

namespace tidemill::sql {

/// AND, OR in three-valued logic. The right side is computed only for rows that the left side
/// leaves open, so `x <> 0 AND 10 / x > 1` divides by no zero.
ExpressionPtr make_and(ExpressionPtr left, ExpressionPtr right);
ExpressionPtr make_or(ExpressionPtr left, ExpressionPtr right);
ExpressionPtr make_not(ExpressionPtr operand);
ExpressionPtr make_is_null(ExpressionPtr operand, bool is_negated);
/// IS [NOT] TRUE, FALSE (`wanted`), or UNKNOWN (make_is_null does it).
ExpressionPtr make_is_truth(ExpressionPtr operand, bool wanted, bool is_negated);

/// conditions[i] chooses values[i]; the last value, if there is one more, is ELSE. Values have type
/// `type`. Each branch is computed only for its own rows.
ExpressionPtr make_case(Type type, std::vector<ExpressionPtr> conditions,
                        std::vector<ExpressionPtr> values);
/// The first value that is not null. Values have type `type`.
ExpressionPtr make_coalesce(Type type, std::vector<ExpressionPtr> values);

}  // namespace tidemill::sql

#pragma once

#include "operators/expr/expression.h"

namespace tidemill::sql {

/// args[0] [NOT] IN (args[1], ...), all of one type: true if one is equal, else unknown if a null
/// took part, else false.
ExpressionPtr make_in_list(std::vector<ExpressionPtr> args, bool is_negated);
/// a IS [NOT] DISTINCT FROM b: never null, two nulls are the same. Both of one type.
ExpressionPtr make_distinct(ExpressionPtr left, ExpressionPtr right, bool is_negated);
/// NULLIF(a, b): null if they are equal, else a. Both of one type.
ExpressionPtr make_null_if(ExpressionPtr value, ExpressionPtr other);

}  // namespace tidemill::sql

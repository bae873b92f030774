#pragma once

#include <optional>
#include <span>

#include "operators/expr/function.h"

namespace tidemill::sql {

/// `+ - * / %` for two operand types: numbers (exact ones with overflow as a row error), times and
/// intervals.
std::optional<Signature> resolve_arithmetic(char op, const Type& left, const Type& right);
/// Unary minus.
std::optional<Signature> resolve_negation(const Type& operand);

}  // namespace tidemill::sql

#pragma once

#include <optional>

#include "operators/expr/expression.h"

namespace tidemill::sql {

/// The kernel of CAST(from AS to), or nothing if the dialect has no such cast. Texts that are too
/// long are cut; numbers that do not fit fail their row; DOUBLE to an integer drops the fraction.
std::optional<Kernel> cast_kernel(const Type& from, const Type& to);

/// `expression` as `type`: itself when nothing has to be computed, a folded literal, or a cast.
/// The cast must exist.
ExpressionPtr cast_to(ExpressionPtr expression, const Type& type);

}  // namespace tidemill::sql

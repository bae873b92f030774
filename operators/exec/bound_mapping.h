#pragma once

#include <cstdint>
#include <optional>

#include "operators/expr/expression.h"

namespace tidemill::sql {

/// The value of an expression of ROWTIME alone at a rowtime bound; nothing if it is null or fails
/// there.
std::optional<std::int64_t> map_bound(Expression& expression, std::int64_t bound);

}  // namespace tidemill::sql

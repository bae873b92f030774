#pragma once

#include <string_view>

#include "operators/expr/expression.h"

namespace tidemill::sql {

/// `= <> < <= > >=` over two columns of one type. NaN equals nothing, not even itself.
Kernel comparison_kernel(std::string_view op, Storage storage);

}  // namespace tidemill::sql

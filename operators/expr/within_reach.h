#pragma once

#include "operators/expr/expression.h"

namespace tidemill::sql {

/// A time that must not lie further back than so many milliseconds.
struct Horizon {
    std::size_t column;
    std::int64_t millis;
};

/// Whether ROWTIME is at most `millis` after each of the times; a null time is never too old.
ExpressionPtr make_within_reach(std::vector<Horizon> horizons);

}  // namespace tidemill::sql

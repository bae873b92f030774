#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "operators/exec/application.h"

namespace tidemill::console {

/// How an application is computed, and what its operators have done so far.
struct Explanation {
    std::vector<sql::PumpInfo> pumps;
    std::vector<sql::OperatorStats> operators;  ///< empty: only the plan is known
    /// Since the operators began to count; rates are over it.
    std::chrono::duration<double> elapsed{0};
};

/// The plans, each step below the one that takes its rows, beside what it has done. Rates are those
/// between `before` and `now`; without `before` over `now.elapsed`. Plans are cut so that lines fit
/// into `columns` (0: any length).
std::string draw_explanation(const Explanation& now, const Explanation* before,
                             std::size_t columns);

}  // namespace tidemill::console

#pragma once

#include "engine/usage/on_demand_policy.h"
#include "engine/usage/rate_limits.h"

namespace tidemill {

/// What the operator wants kept: docs/limits.md.
struct UsageOptions {
    LimitsMode mode = LimitsMode::None;
    OnDemandOptions on_demand{};
};

}  // namespace tidemill

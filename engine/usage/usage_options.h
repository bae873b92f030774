#pragma once

#include "engine/usage/rate_limits.h"

namespace tidemill {

/// What the operator wants kept: docs/limits.md.
struct UsageOptions {
    LimitsMode mode = LimitsMode::None;
};

}  // namespace tidemill

#pragma once

#include "engine/aws/authenticator.h"
#include "engine/telemetry/core_metrics.h"

namespace tidemill {

/// Who was let in, and why others were not. Ownership: `authenticator` outlives `metrics`.
void register_auth_metrics(CoreMetrics& metrics, std::uint32_t cores,
                           aws::Authenticator& authenticator);

}  // namespace tidemill

#pragma once

#include <vector>

#include "engine/log/log_stats.h"

namespace tidemill {

class MetricRegistry;

/// What the lanes have done, added up. `stats` is filled before each collection, on the core of
/// `registry`.
void register_log_metrics(MetricRegistry& registry, const std::vector<LogStats>& stats);

}  // namespace tidemill

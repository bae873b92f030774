#pragma once

#include <string>

#include "engine/telemetry/metrics.h"

namespace tidemill {

/// The content type that goes with the text.
constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/// The snapshot as text that Prometheus scrapes; families and series in order of name and labels.
/// Source: Prometheus documentation, "Exposition formats", text format 0.0.4.
std::string to_prometheus(const MetricsSnapshot& snapshot);

}  // namespace tidemill

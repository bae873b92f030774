#pragma once

#include <memory>
#include <vector>

#include "engine/reactor/reactor.h"
#include "engine/telemetry/metrics.h"

namespace tidemill {

/// The registries of all cores of the process, with the reactors' own figures and the disks' names
/// in them. Ownership: outlives all who write metrics; `reactors` outlives it.
class CoreMetrics {
 public:
    explicit CoreMetrics(ReactorGroup& reactors);
    CoreMetrics(const CoreMetrics&) = delete;
    CoreMetrics& operator=(const CoreMetrics&) = delete;

    /// Core: that core's only (or any thread before the reactors have been given work).
    MetricRegistry& at(CoreId core) { return *registries_[core.value]; }
    /// The registry of the core this is called on.
    MetricRegistry& local() { return at(Reactor::current().id()); }

    /// Asks each core for its values and adds them up. Core: any reactor.
    Task<MetricsSnapshot> collect();

 private:
    ReactorGroup& reactors_;
    std::vector<std::unique_ptr<MetricRegistry>> registries_;
};

}  // namespace tidemill

#include "engine/telemetry/core_metrics.h"

#include <fmt/format.h>

#include "engine/reactor/call_on.h"

namespace tidemill {
namespace {

double seconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
}

void add_reactor(MetricRegistry& registry, Reactor& reactor) {
    const MetricLabels core{{"core", fmt::format("{}", reactor.id().value)}};
    registry.sampled_counter("tidemill_reactor_turns_total", "Turns of the run loop that did work.",
                             core, [&reactor] { return reactor.stats().turns; });
    registry.sampled_counter("tidemill_reactor_sleeps_total", "Times the core had nothing to do.",
                             core, [&reactor] { return reactor.stats().sleeps; });
    registry.sampled_counter("tidemill_reactor_stalls_total", "Turns longer than the stall limit.",
                             core, [&reactor] { return reactor.stats().stalls; });
    registry.sampled_gauge("tidemill_reactor_longest_turn_seconds", "The longest turn so far.",
                           core, [&reactor] { return seconds(reactor.stats().longest_turn); });
    registry.sampled_gauge("tidemill_reactor_busy_seconds", "Time spent in turns that did work.",
                           core, [&reactor] { return seconds(reactor.stats().busy); });
    registry.sampled_gauge("tidemill_disk_operations_in_flight",
                           "Reads, writes and syncs that have not ended.", core,
                           [&reactor] { return static_cast<double>(reactor.disk().in_flight()); });
    auto chosen = core;
    chosen.emplace_back("disk", reactor.disk().description());
    registry.gauge("tidemill_disk_info", "How the core reaches its disk; always 1.", chosen).set(1);
}

}  // namespace

CoreMetrics::CoreMetrics(ReactorGroup& reactors) : reactors_(reactors) {
    for (std::uint32_t core = 0; core < reactors.size(); ++core) {
        registries_.push_back(std::make_unique<MetricRegistry>());
        add_reactor(*registries_.back(), reactors.at(CoreId{core}));
    }
}

Task<MetricsSnapshot> CoreMetrics::collect() {
    MetricsSnapshot sum;
    for (std::uint32_t core = 0; core < registries_.size(); ++core) {
        const auto snapshot = [](MetricRegistry* registry) -> Task<MetricsSnapshot> {
            co_return registry->snapshot();
        };
        auto make = [snapshot, registry = registries_[core].get()] { return snapshot(registry); };
        sum.merge(co_await call_on(reactors_.at(CoreId{core}), make));
    }
    co_return sum;
}

}  // namespace tidemill

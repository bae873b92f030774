#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/histogram.h"

namespace tidemill {

/// {{"operation", "PutRecord"}}: a fixed, small set of values, never a client's text or a number
/// that grows.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// A count that only grows. Core: its registry's, like all of these; plain memory, no atomics.
class Counter {
 public:
    void add(std::uint64_t n = 1) { value_ += n; }
    std::uint64_t value() const { return value_; }

 private:
    std::uint64_t value_ = 0;
};

/// A level that goes both ways; the gauges of all cores are added up.
class Gauge {
 public:
    void set(std::int64_t value) { value_ = value; }
    void add(std::int64_t n) { value_ += n; }
    std::int64_t value() const { return value_; }

 private:
    std::int64_t value_ = 0;
};

/// How long things take. Exposed in seconds.
class LatencyMetric {
 public:
    void record(std::chrono::nanoseconds took) {
        values_.record(took.count() > 0 ? static_cast<std::uint64_t>(took.count()) : 0);
    }
    const Histogram& nanoseconds() const { return values_; }

 private:
    Histogram values_;
};

/// How large things are. Exposed as recorded.
class SizeMetric {
 public:
    void record(std::uint64_t size) { values_.record(size); }
    const Histogram& values() const { return values_; }

 private:
    Histogram values_;
};

enum class MetricKind : std::uint8_t { Counter, Gauge, Latency, Size };

/// The values of some cores at one moment, free to travel between threads.
class MetricsSnapshot {
 public:
    struct Value {
        std::uint64_t count = 0;  ///< Counter
        double level = 0;         ///< Gauge
        std::shared_ptr<Histogram>
            histogram;  ///< Latency (nanoseconds), Size; owned by this value alone
    };
    struct Family {
        MetricKind kind{};
        std::string help;
        std::map<MetricLabels, Value> values;
    };

    /// Adds up what has the same name and labels.
    void merge(MetricsSnapshot other);
    const std::map<std::string, Family>& families() const { return families_; }
    /// For tests and the demo's summary: the value of a counter or gauge, 0 when there is none.
    double value(const std::string& name, const MetricLabels& labels = {}) const;

 private:
    friend class MetricRegistry;
    std::map<std::string, Family> families_;
};

/// The metrics of one core. Asking again for a name and labels gives the same object, so components
/// register by themselves and keep the reference. Ownership: the registry owns the metrics and
/// outlives who writes them. Core: one. Limits: names are [a-zA-Z_][a-zA-Z0-9_]*; counters end in
/// _total, latencies in _seconds: TM_CHECKed, as is that a name keeps
///   one kind.
class MetricRegistry {
 public:
    MetricRegistry();
    MetricRegistry(const MetricRegistry&) = delete;
    MetricRegistry& operator=(const MetricRegistry&) = delete;
    ~MetricRegistry();

    Counter& counter(const std::string& name, const std::string& help, MetricLabels labels = {});
    Gauge& gauge(const std::string& name, const std::string& help, MetricLabels labels = {});
    LatencyMetric& latency(const std::string& name, const std::string& help,
                           MetricLabels labels = {});
    SizeMetric& size(const std::string& name, const std::string& help, MetricLabels labels = {});
    /// A gauge that is asked when a snapshot is taken. `read` stays callable as long as the
    /// registry lives.
    void sampled_gauge(const std::string& name, const std::string& help, MetricLabels labels,
                       std::move_only_function<double()> read);
    /// The same for a counter that is kept elsewhere.
    void sampled_counter(const std::string& name, const std::string& help, MetricLabels labels,
                         std::move_only_function<std::uint64_t()> read);

    MetricsSnapshot snapshot();

 private:
    struct Cell;
    struct Family;
    Cell& cell(MetricKind kind, const std::string& name, const std::string& help,
               MetricLabels labels);

    std::map<std::string, std::unique_ptr<Family>> families_;
};

}  // namespace tidemill

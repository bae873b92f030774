#pragma once

#include <list>
#include <string>
#include <unordered_map>

#include "engine/cloudwatch/metric_data.h"

namespace tidemill::cloudwatch {

namespace limits {
constexpr std::size_t kSeries = 10'000;
constexpr std::size_t kLabelBytes = 16 << 20;  ///< of all series' names
}  // namespace limits

/// What was put, as Prometheus shows it. Core: one.
class MetricSeries {
 public:
    /// Limits: beyond `most` series, or kLabelBytes, those that were put longest ago go.
    explicit MetricSeries(std::size_t most = limits::kSeries) : most_(most) {}

    void add(const MetricData& data);
    /// Families tidemill_cloudwatch_samples_total and _sum since the series is here, and _minimum,
    /// _maximum and _average of its last datum; labels namespace, metric, unit and dim_NAME.
    std::string text() const;

    std::size_t size() const { return order_.size(); }
    std::uint64_t evicted() const { return evicted_; }

 private:
    struct Series {
        std::string labels;
        double samples = 0, sum = 0, minimum = 0, maximum = 0, average = 0;
    };

    std::size_t most_;
    std::size_t label_bytes_ = 0;
    std::uint64_t evicted_ = 0;
    std::list<Series> order_;  // what was put last is first
    std::unordered_map<std::string_view, std::list<Series>::iterator> by_labels_;
};

/// {namespace="app",metric="RecordsProcessed",unit="Count",dim_ShardId="shardId-0"}: characters
/// that a label's name cannot have become "_", a name that is there already gets a number.
std::string labels_of(std::string_view name_space, const MetricDatum& datum);

}  // namespace tidemill::cloudwatch

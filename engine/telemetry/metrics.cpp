#include "engine/telemetry/metrics.h"

#include <algorithm>
#include <optional>

#include "engine/base/check.h"

namespace tidemill {
namespace {

bool is_name(const std::string& name) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9');
    });
}

bool is_name_of(MetricKind kind, const std::string& name) {
    if (!is_name(name)) return false;
    if (kind == MetricKind::Latency) return name.ends_with("_seconds");
    return (kind == MetricKind::Counter) == name.ends_with("_total");
}

}  // namespace

struct MetricRegistry::Cell {
    Counter counter;
    Gauge gauge;
    std::unique_ptr<LatencyMetric> latency;
    std::unique_ptr<SizeMetric> size;
    std::move_only_function<double()> read_gauge;
    std::move_only_function<std::uint64_t()> read_counter;
};

struct MetricRegistry::Family {
    MetricKind kind;
    std::string help;
    std::map<MetricLabels, Cell> cells;  // a map: references stay good
};

MetricRegistry::MetricRegistry() = default;
MetricRegistry::~MetricRegistry() = default;

MetricRegistry::Cell& MetricRegistry::cell(MetricKind kind, const std::string& name,
                                           const std::string& help, MetricLabels labels) {
    auto& family = families_[name];
    if (!family) {
        TM_CHECK(is_name_of(kind, name), "\"{}\" is no name for this kind of metric", name);
        for (const auto& [label, value] : labels)
            TM_CHECK(is_name(label), "label \"{}\"", label);
        family = std::make_unique<Family>(Family{kind, help, {}});
    }
    TM_CHECK(family->kind == kind, "{} is registered as two kinds of metric", name);
    std::ranges::sort(labels);
    return family->cells[std::move(labels)];
}

Counter& MetricRegistry::counter(const std::string& name, const std::string& help,
                                 MetricLabels labels) {
    return cell(MetricKind::Counter, name, help, std::move(labels)).counter;
}

Gauge& MetricRegistry::gauge(const std::string& name, const std::string& help,
                             MetricLabels labels) {
    return cell(MetricKind::Gauge, name, help, std::move(labels)).gauge;
}

LatencyMetric& MetricRegistry::latency(const std::string& name, const std::string& help,
                                       MetricLabels labels) {
    auto& latency = cell(MetricKind::Latency, name, help, std::move(labels)).latency;
    if (!latency) latency = std::make_unique<LatencyMetric>();
    return *latency;
}

SizeMetric& MetricRegistry::size(const std::string& name, const std::string& help,
                                 MetricLabels labels) {
    auto& size = cell(MetricKind::Size, name, help, std::move(labels)).size;
    if (!size) size = std::make_unique<SizeMetric>();
    return *size;
}

void MetricRegistry::sampled_gauge(const std::string& name, const std::string& help,
                                   MetricLabels labels, std::move_only_function<double()> read) {
    cell(MetricKind::Gauge, name, help, std::move(labels)).read_gauge = std::move(read);
}

void MetricRegistry::sampled_counter(const std::string& name, const std::string& help,
                                     MetricLabels labels,
                                     std::move_only_function<std::uint64_t()> read) {
    cell(MetricKind::Counter, name, help, std::move(labels)).read_counter = std::move(read);
}

MetricsSnapshot MetricRegistry::snapshot() {
    MetricsSnapshot snapshot;
    for (auto& [name, family] : families_) {
        auto& to = snapshot.families_[name];
        to.kind = family->kind;
        to.help = family->help;
        for (auto& [labels, from] : family->cells) {
            MetricsSnapshot::Value& value = to.values[labels];
            value.count = from.counter.value() + (from.read_counter ? from.read_counter() : 0);
            value.level = static_cast<double>(from.gauge.value());
            if (from.read_gauge) value.level += from.read_gauge();
            if (from.latency)
                value.histogram = std::make_shared<Histogram>(from.latency->nanoseconds());
            if (from.size) value.histogram = std::make_shared<Histogram>(from.size->values());
        }
    }
    return snapshot;
}

void MetricsSnapshot::merge(MetricsSnapshot other) {
    for (auto& [name, from] : other.families_) {
        auto& to = families_[name];
        to.kind = from.kind;
        to.help = std::move(from.help);
        for (auto& [labels, value] : from.values) {
            Value& sum = to.values[labels];
            sum.count += value.count;
            sum.level += value.level;
            if (!value.histogram) continue;
            if (sum.histogram) {
                sum.histogram->merge(*value.histogram);
            } else {
                sum.histogram = std::move(value.histogram);
            }
        }
    }
}

double MetricsSnapshot::value(const std::string& name, const MetricLabels& labels) const {
    const auto family = families_.find(name);
    if (family == families_.end()) return 0;
    MetricLabels sorted = labels;
    std::ranges::sort(sorted);
    const auto found = family->second.values.find(sorted);
    if (found == family->second.values.end()) return 0;
    return family->second.kind == MetricKind::Counter ? static_cast<double>(found->second.count)
                                                      : found->second.level;
}

}  // namespace tidemill

#include "engine/cloudwatch/metric_series.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>

namespace tidemill::cloudwatch {
namespace {

std::string label_name(std::string_view name) {
    std::string safe = "dim_";
    for (const char c : name) {
        const bool is_fine =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        safe += is_fine ? c : '_';
    }
    return safe;
}

void append_label(std::string& to, std::string_view name, std::string_view value) {
    if (to.size() > 1) to += ',';
    to += name;
    to += "=\"";
    for (const char c : value) {
        if (c == '\\' || c == '"') to += '\\';
        if (c == '\n')
            to += "\\n";
        else
            to += c;
    }
    to += '"';
}

}  // namespace

std::string labels_of(std::string_view name_space, const MetricDatum& datum) {
    std::string labels = "{";
    append_label(labels, "namespace", name_space);
    append_label(labels, "metric", datum.name);
    append_label(labels, "unit", datum.unit);
    std::vector<std::string> taken;
    for (const auto& [name, value] : datum.dimensions) {
        const std::string safe = label_name(name);
        std::string one = safe;
        for (int number = 2; std::ranges::find(taken, one) != taken.end(); ++number)
            one = fmt::format("{}_{}", safe, number);
        append_label(labels, one, value);
        taken.push_back(std::move(one));
    }
    return labels + "}";
}

void MetricSeries::add(const MetricData& data) {
    for (const auto& datum : data.data) {
        if (datum.samples == 0) continue;
        const std::string labels = labels_of(data.name_space, datum);
        const auto found = by_labels_.find(labels);
        if (found != by_labels_.end()) {
            order_.splice(order_.begin(), order_, found->second);
        } else {
            order_.push_front({.labels = labels});
            by_labels_.emplace(order_.front().labels, order_.begin());
            label_bytes_ += labels.size();
        }
        Series& series = order_.front();
        series.samples += datum.samples;
        series.sum += datum.sum;
        series.minimum = datum.minimum;
        series.maximum = datum.maximum;
        series.average = datum.sum / datum.samples;
        while (order_.size() > most_ || label_bytes_ > limits::kLabelBytes) {
            label_bytes_ -= order_.back().labels.size();
            by_labels_.erase(order_.back().labels);
            order_.pop_back();
            ++evicted_;
        }
    }
}

std::string MetricSeries::text() const {
    struct Family {
        const char* name;
        const char* type;
        const char* help;
        double Series::* value;
    };
    static constexpr Family kFamilies[] = {
        {"samples_total", "counter", "samples put with PutMetricData", &Series::samples},
        {"sum", "gauge", "their sum", &Series::sum},
        {"minimum", "gauge", "the least of the last datum", &Series::minimum},
        {"maximum", "gauge", "the greatest of the last datum", &Series::maximum},
        {"average", "gauge", "the average of the last datum", &Series::average}};
    std::string out;
    auto to = std::back_inserter(out);
    for (const auto& family : kFamilies) {
        if (order_.empty()) break;
        fmt::format_to(to,
                       "# HELP tidemill_cloudwatch_{0} {2}\n# TYPE tidemill_cloudwatch_{0} {1}\n",
                       family.name, family.type, family.help);
        for (const auto& series : order_)
            fmt::format_to(to, "tidemill_cloudwatch_{}{} {}\n", family.name, series.labels,
                           series.*family.value);
    }
    return out;
}

}  // namespace tidemill::cloudwatch

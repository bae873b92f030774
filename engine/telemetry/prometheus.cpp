#include "engine/telemetry/prometheus.h"

#include <iterator>
#include <span>
#include <string_view>

#include <fmt/format.h>

namespace tidemill {
namespace {

constexpr double kLatencyBounds[] = {25e-6,  50e-6,  100e-6, 250e-6, 500e-6, 1e-3,
                                     2.5e-3, 5e-3,   10e-3,  25e-3,  50e-3,  100e-3,
                                     250e-3, 500e-3, 1,      2.5,    5,      10};
constexpr double kSizeBounds[] = {64,    256,    1024,    4096,    16384,
                                  65536, 262144, 1048576, 4194304, 16777216};

std::string escape(std::string_view text, bool quotes) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\\') {
            escaped += "\\\\";
        } else if (c == '\n') {
            escaped += "\\n";
        } else if (c == '"' && quotes) {
            escaped += "\\\"";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

/// {a="x",le="1"}, or nothing when there is no label.
std::string label_text(const MetricLabels& labels, std::string_view bound = {}) {
    std::string text;
    for (const auto& [name, value] : labels)
        fmt::format_to(std::back_inserter(text), "{}{}=\"{}\"", text.empty() ? "" : ",", name,
                       escape(value, true));
    if (!bound.empty())
        fmt::format_to(std::back_inserter(text), "{}le=\"{}\"", text.empty() ? "" : ",", bound);
    return text.empty() ? text : "{" + text + "}";
}

void write_histogram(std::string& out, const std::string& name, const MetricLabels& labels,
                     const Histogram& values, std::span<const double> bounds, double per_unit) {
    auto to = std::back_inserter(out);
    for (const double bound : bounds) {
        const auto recorded = static_cast<std::uint64_t>(bound * per_unit + 0.5);
        fmt::format_to(to, "{}_bucket{} {}\n", name, label_text(labels, fmt::format("{}", bound)),
                       values.count_up_to(recorded));
    }
    fmt::format_to(to, "{}_bucket{} {}\n", name, label_text(labels, "+Inf"), values.count());
    fmt::format_to(to, "{}_sum{} {}\n", name, label_text(labels),
                   static_cast<double>(values.sum()) / per_unit);
    fmt::format_to(to, "{}_count{} {}\n", name, label_text(labels), values.count());
}

std::string_view type_name(MetricKind kind) {
    switch (kind) {
        case MetricKind::Counter:
            return "counter";
        case MetricKind::Gauge:
            return "gauge";
        case MetricKind::Latency:
        case MetricKind::Size:
            break;
    }
    return "histogram";
}

}  // namespace

std::string to_prometheus(const MetricsSnapshot& snapshot) {
    std::string out;
    auto to = std::back_inserter(out);
    for (const auto& [name, family] : snapshot.families()) {
        fmt::format_to(to, "# HELP {} {}\n# TYPE {} {}\n", name, escape(family.help, false), name,
                       type_name(family.kind));
        for (const auto& [labels, value] : family.values) {
            if (family.kind == MetricKind::Counter) {
                fmt::format_to(to, "{}{} {}\n", name, label_text(labels), value.count);
            } else if (family.kind == MetricKind::Gauge) {
                fmt::format_to(to, "{}{} {}\n", name, label_text(labels), value.level);
            } else if (value.histogram && family.kind == MetricKind::Latency) {
                write_histogram(out, name, labels, *value.histogram, kLatencyBounds, 1e9);
            } else if (value.histogram) {
                write_histogram(out, name, labels, *value.histogram, kSizeBounds, 1);
            }
        }
    }
    return out;
}

}  // namespace tidemill

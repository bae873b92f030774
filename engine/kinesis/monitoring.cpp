// EnableEnhancedMonitoring, DisableEnhancedMonitoring.
#include <algorithm>

#include "engine/kinesis/operations.h"
#include "engine/kinesis/stream_document.h"

namespace tidemill::kinesis {
namespace {

/// ShardLevelMetrics of a checked request.
ShardMetrics metrics_of(const Value& input) {
    ShardMetrics metrics = 0;
    for (const Value& name : *input.find("ShardLevelMetrics")->list()) {
        const std::string* text = name.text();
        if (text == nullptr) continue;
        if (*text == "ALL") return kAllShardMetrics;
        const auto* found = std::ranges::find(kShardMetricNames, *text);
        if (found != std::end(kShardMetricNames))
            metrics |= static_cast<ShardMetrics>(1u << (found - std::begin(kShardMetricNames)));
    }
    return metrics;
}

Task<ApiStatus> change(Call& call, SettingsChange wanted) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamPtr before = *found;
    const auto after = co_await call.service.change_settings(before->name, wanted);
    if (!after) co_return stream_failure(call, before->name, after.error());
    DocumentWriter out = call.answer();
    out.begin_object();
    out.member("StreamName", before->name);
    out.key("CurrentShardLevelMetrics");
    write_shard_metrics(out, before->shard_metrics);
    out.key("DesiredShardLevelMetrics");
    write_shard_metrics(out, (*after)->shard_metrics);
    out.member("StreamARN", call.stream_arn(*before));
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace

void write_shard_metrics(DocumentWriter& out, ShardMetrics metrics) {
    out.begin_array();
    for (std::size_t i = 0; i < std::size(kShardMetricNames); ++i)
        if ((metrics >> i & 1u) != 0) out.text(kShardMetricNames[i]);
    out.end_array();
}

Task<ApiStatus> enable_enhanced_monitoring(Call& call) {
    return change(call, {.watch = metrics_of(call.input)});
}
Task<ApiStatus> disable_enhanced_monitoring(Call& call) {
    return change(call, {.unwatch = metrics_of(call.input)});
}

}  // namespace tidemill::kinesis

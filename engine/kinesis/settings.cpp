// UpdateStreamMode, UpdateStreamWarmThroughput, UpdateMaxRecordSize,
// UpdateStreamRecordDistributionStrategy.
#include <algorithm>

#include "engine/kinesis/operations.h"
#include "engine/kinesis/stream_document.h"

namespace tidemill::kinesis {
namespace {

/// The stream as it is after the change. Timeout: shards are still being added, as at AWS after
/// every answer.
Task<ApiResult<StreamPtr>> change(Call& call, SettingsChange wanted) {
    auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamPtr stream = *found;
    auto changed = co_await call.service.change_settings(stream->name, wanted);
    if (changed) co_return std::move(*changed);
    if (changed.error().code != Errc::Timeout)
        co_return stream_failure(call, stream->name, changed.error());
    co_return find_stream(call);
}

Task<ApiStatus> change_quietly(Call& call, SettingsChange wanted) {
    const auto changed = co_await change(call, wanted);
    if (!changed) co_return std::unexpected(changed.error());
    co_return ApiStatus{};
}

}  // namespace

std::optional<std::uint32_t> count_member(const Value& input, std::string_view name) {
    if (input.find(name) == nullptr) return std::nullopt;
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(input.integer_or(name, 0), 0, UINT32_MAX));
}

std::optional<StreamMode> mode_member(const Value& input) {
    const Value* details = input.find("StreamModeDetails");
    if (details == nullptr) return std::nullopt;
    return details->text_or("StreamMode", "") == "ON_DEMAND" ? StreamMode::OnDemand
                                                             : StreamMode::Provisioned;
}

std::optional<RecordDistribution> distribution_member(const Value& input) {
    const auto strategy = input.text_or("RecordDistributionStrategy", "");
    if (strategy.empty()) return std::nullopt;
    return strategy == "AUTO" ? RecordDistribution::Auto : RecordDistribution::ByKey;
}

std::optional<std::uint32_t> max_record_bytes_member(const Value& input) {
    const auto kib = count_member(input, "MaxRecordSizeInKiB");
    return kib ? std::optional(*kib * 1024) : std::nullopt;
}

Task<ApiStatus> update_stream_mode(Call& call) {
    return change_quietly(call,
                          {.mode = mode_member(call.input),
                           .warm_mib_per_second = count_member(call.input, "WarmThroughputMiBps")});
}

Task<ApiStatus> update_max_record_size(Call& call) {
    if (call.input.find("StreamARN") == nullptr)
        co_return invalid_argument("StreamARN must be specified.");
    co_return co_await change_quietly(call,
                                      {.max_record_bytes = max_record_bytes_member(call.input)});
}

Task<ApiStatus> update_record_distribution(Call& call) {
    return change_quietly(call, {.distribution = distribution_member(call.input)});
}

Task<ApiStatus> update_warm_throughput(Call& call) {
    const auto changed = co_await change(
        call, {.warm_mib_per_second = count_member(call.input, "WarmThroughputMiBps")});
    if (!changed) co_return std::unexpected(changed.error());
    const StreamInfo& stream = **changed;
    DocumentWriter out = call.answer();
    out.begin_object();
    out.member("StreamARN", call.stream_arn(stream));
    out.member("StreamName", stream.name);
    write_warm_throughput(out, stream);
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis

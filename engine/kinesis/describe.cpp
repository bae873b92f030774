// DescribeStream, DescribeStreamSummary, DescribeLimits.
#include <algorithm>

#include "engine/kinesis/operations.h"
#include "engine/kinesis/shard_document.h"
#include "engine/kinesis/stream_document.h"
#include "engine/service/service_limits.h"

namespace tidemill::kinesis {
namespace {

constexpr std::string_view kDefaultKeyName = "alias/aws/kinesis";
constexpr std::int64_t kDescribeShardsMax = 100;  // AWS accepts up to 10,000 and gives 100

/// What both descriptions share. StreamId is never written: clients would rewrite their endpoint by
/// it.
void write_description(const Call& call, const StreamInfo& stream, DocumentWriter& out) {
    out.member("StreamName", stream.name);
    out.member("StreamARN", call.stream_arn(stream));
    out.member("StreamStatus", status_text(stream.status));
    out.key("StreamModeDetails").begin_object();
    out.member("StreamMode", mode_text(stream.mode)).end_object();
    out.member("RetentionPeriodHours", stream.retention.count());
    out.member("StreamCreationTimestamp", stream.created);
    out.key("EnhancedMonitoring").begin_array().begin_object();
    out.key("ShardLevelMetrics");
    write_shard_metrics(out, stream.shard_metrics);
    out.end_object().end_array();
    const auto& encryption = stream.encryption;
    out.member("EncryptionType", encryption_text(encryption.is_on()));
    if (encryption.is_on())
        out.member("KeyId", std::string_view(encryption.key_name.empty()
                                                 ? kDefaultKeyName
                                                 : std::string_view(encryption.key_name)));
}

}  // namespace

void write_warm_throughput(DocumentWriter& out, const StreamInfo& stream) {
    const std::size_t target = stream.warm_mib_per_second;
    out.key("WarmThroughput").begin_object();
    out.member("TargetMiBps", target);
    out.member("CurrentMiBps", std::min(target, stream.open.size()));
    out.end_object();
}

Task<ApiStatus> describe_stream(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = **found;
    auto shard = stream.shards.begin();
    if (const auto after = call.input.text_or("ExclusiveStartShardId", ""); !after.empty()) {
        const auto index = parse_shard_id(after);
        if (!index) {
            const auto none = find_shard(call, stream, after);
            co_return std::unexpected(none.error());
        }
        while (shard != stream.shards.end() && shard->index <= *index)
            ++shard;
    }
    const auto limit =
        std::min(call.input.integer_or("Limit", kDescribeShardsMax), kDescribeShardsMax);
    DocumentWriter out = call.answer();
    out.begin_object().key("StreamDescription").begin_object();
    write_description(call, stream, out);
    out.key("Shards").begin_array();
    for (std::int64_t i = 0; i < limit && shard != stream.shards.end(); ++i, ++shard)
        write_shard(out, *shard);
    out.end_array();
    out.member("HasMoreShards", shard != stream.shards.end());
    out.end_object().end_object();
    co_return ApiStatus{};
}

Task<ApiStatus> describe_stream_summary(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = **found;
    DocumentWriter out = call.answer();
    out.begin_object().key("StreamDescriptionSummary").begin_object();
    write_description(call, stream, out);
    out.member("OpenShardCount", stream.open.size());
    out.member("ConsumerCount", stream.consumers.size());
    if (stream.warm_mib_per_second != 0) write_warm_throughput(out, stream);
    out.member("MaxRecordSizeInKiB", stream.max_record_bytes / 1024);
    out.member("ChannelCount", 0);
    out.member(
        "RecordDistributionStrategy",
        std::string_view(stream.distribution == RecordDistribution::Auto ? "AUTO"
                                                                         : "USER_PARTITION_KEY"));
    out.end_object().end_object();
    co_return ApiStatus{};
}

Task<ApiStatus> describe_limits(Call& call) {
    std::size_t open_shards = 0, on_demand = 0;
    const auto catalog = call.service.catalog();
    for (const auto& [name, stream] : catalog->streams) {
        open_shards += stream->open.size();
        on_demand += stream->mode == StreamMode::OnDemand ? 1 : 0;
    }
    DocumentWriter out = call.answer();
    out.begin_object();
    const bool is_limited = call.service.limits() != nullptr;
    out.member("ShardLimit", is_limited ? aws_rates::kShards : service_limits::kShardsMax);
    out.member("OpenShardCount", open_shards);
    out.member("OnDemandStreamCount", on_demand);
    out.member("OnDemandStreamCountLimit",
               is_limited ? aws_rates::kOnDemandStreams : service_limits::kStreamsMax);
    out.member("ChannelCount", 0);
    out.member("ChannelCountLimit", 0);
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis

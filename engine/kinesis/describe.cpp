// DescribeStream, DescribeStreamSummary, DescribeLimits.
#include "engine/kinesis/operations.h"
#include "engine/kinesis/shard_json.h"
#include "engine/service/service_limits.h"

namespace tidemill::kinesis {
namespace {

constexpr std::string_view kDefaultKeyName = "alias/aws/kinesis";
constexpr std::int64_t kDescribeShardsMax = 100;  // AWS accepts up to 10,000 and gives 100

/// What both descriptions share. StreamId is never written: clients would rewrite their endpoint by
/// it.
void write_description(const Call& call, const StreamInfo& stream, JsonWriter& json) {
    json.member("StreamName", stream.name);
    json.member("StreamARN", call.stream_arn(stream.name));
    json.member("StreamStatus", status_text(stream.status));
    json.key("StreamModeDetails").begin_object();
    json.member("StreamMode", mode_text(stream.mode)).end_object();
    json.member("RetentionPeriodHours", stream.retention.count());
    json.member("StreamCreationTimestamp", stream.created);
    json.key("EnhancedMonitoring").begin_array().begin_object();
    json.key("ShardLevelMetrics").begin_array().end_array();
    json.end_object().end_array();
    const auto& encryption = stream.encryption;
    json.member("EncryptionType", std::string_view(encryption.is_on() ? "KMS" : "NONE"));
    if (encryption.is_on())
        json.member("KeyId", std::string_view(encryption.key_name.empty()
                                                  ? kDefaultKeyName
                                                  : std::string_view(encryption.key_name)));
}

}  // namespace

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
    JsonWriter json(call.output);
    json.begin_object().key("StreamDescription").begin_object();
    write_description(call, stream, json);
    json.key("Shards").begin_array();
    for (std::int64_t i = 0; i < limit && shard != stream.shards.end(); ++i, ++shard)
        write_shard(json, *shard);
    json.end_array();
    json.member("HasMoreShards", shard != stream.shards.end());
    json.end_object().end_object();
    co_return ApiStatus{};
}

Task<ApiStatus> describe_stream_summary(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = **found;
    JsonWriter json(call.output);
    json.begin_object().key("StreamDescriptionSummary").begin_object();
    write_description(call, stream, json);
    json.member("OpenShardCount", stream.open.size());
    json.member("ConsumerCount", 0);
    json.member("MaxRecordSizeInKiB", wire_limits::kRecordBytesDefault / 1024);
    json.end_object().end_object();
    co_return ApiStatus{};
}

Task<ApiStatus> describe_limits(Call& call) {
    std::size_t open_shards = 0, on_demand = 0;
    const auto catalog = call.service.catalog();
    for (const auto& [name, stream] : catalog->streams) {
        open_shards += stream->open.size();
        on_demand += stream->mode == StreamMode::OnDemand ? 1 : 0;
    }
    JsonWriter json(call.output);
    json.begin_object();
    json.member("ShardLimit", service_limits::kShardsMax);
    json.member("OpenShardCount", open_shards);
    json.member("OnDemandStreamCount", on_demand);
    json.member("OnDemandStreamCountLimit", service_limits::kStreamsMax);
    json.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis

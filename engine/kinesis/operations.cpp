#include "engine/kinesis/operations.h"

#include <algorithm>
#include <array>

#include "engine/kinesis/shapes.h"

namespace tidemill::kinesis {
namespace {

// The busiest first: the search is linear.
const Operation kOperations[] = {
    {"PutRecords", nullptr, put_records},
    {"PutRecord", &shapes::kPutRecord, put_record},
    {"GetRecords", &shapes::kGetRecords, get_records},
    {"GetShardIterator", &shapes::kGetShardIterator, get_shard_iterator},
    {"ListShards", &shapes::kListShards, list_shards},
    {"DescribeStreamSummary", &shapes::kDescribeStreamSummary, describe_stream_summary},
    {"DescribeStream", &shapes::kDescribeStream, describe_stream},
    {"ListStreams", &shapes::kListStreams, list_streams},
    {"CreateStream", &shapes::kCreateStream, create_stream},
    {"DeleteStream", &shapes::kDeleteStream, delete_stream},
    {"SplitShard", &shapes::kSplitShard, split_shard},
    {"MergeShards", &shapes::kMergeShards, merge_shards},
    {"UpdateShardCount", &shapes::kUpdateShardCount, update_shard_count},
    {"DescribeLimits", &shapes::kEmpty, describe_limits},
    {"AddTagsToStream", &shapes::kAddTags, add_tags_to_stream},
    {"RemoveTagsFromStream", &shapes::kRemoveTags, remove_tags_from_stream},
    {"ListTagsForStream", &shapes::kListTags, list_tags_for_stream},
    {"IncreaseStreamRetentionPeriod", &shapes::kRetention, increase_retention},
    {"DecreaseStreamRetentionPeriod", &shapes::kRetention, decrease_retention},
    {"RegisterStreamConsumer", &shapes::kRegisterConsumer, register_stream_consumer},
    {"DeregisterStreamConsumer", &shapes::kConsumer, deregister_stream_consumer},
    {"DescribeStreamConsumer", &shapes::kConsumer, describe_stream_consumer},
    {"SubscribeToShard", &shapes::kSubscribeToShard, subscribe_to_shard},
    {"ListStreamConsumers", &shapes::kListConsumers, list_stream_consumers},
    {"TagResource", &shapes::kTagResource, tag_resource},
    {"UntagResource", &shapes::kUntagResource, untag_resource},
    {"ListTagsForResource", &shapes::kResource, list_tags_for_resource},
    {"PutResourcePolicy", &shapes::kPutPolicy, put_resource_policy},
    {"GetResourcePolicy", &shapes::kResource, get_resource_policy},
    {"DeleteResourcePolicy", &shapes::kResource, delete_resource_policy},
    {"StartStreamEncryption", &shapes::kEncryption, start_stream_encryption},
    {"StopStreamEncryption", &shapes::kEncryption, stop_stream_encryption},
    {"UpdateStreamMode", &shapes::kUpdateMode, update_stream_mode},
    {"UpdateStreamWarmThroughput", &shapes::kUpdateWarmThroughput, update_warm_throughput},
    {"UpdateMaxRecordSize", &shapes::kUpdateMaxRecordSize, update_max_record_size},
    {"UpdateStreamRecordDistributionStrategy", &shapes::kUpdateDistribution,
     update_record_distribution},
    {"EnableEnhancedMonitoring", &shapes::kMonitoring, enable_enhanced_monitoring},
    {"DisableEnhancedMonitoring", &shapes::kMonitoring, disable_enhanced_monitoring},
    {"DescribeAccountSettings", &shapes::kEmpty, describe_account_settings},
    {"UpdateAccountSettings", &shapes::kUpdateAccountSettings, update_account_settings},
    {"CreateChannel", &shapes::kEmpty, refuse_channels},
    {"DeleteChannel", &shapes::kEmpty, refuse_channels},
    {"DescribeChannel", &shapes::kEmpty, refuse_channels},
    {"ListChannels", &shapes::kEmpty, refuse_channels},
    {"UpdateChannel", &shapes::kEmpty, refuse_channels},
};

}  // namespace

const Operation* find_operation(std::string_view name) {
    const auto* found = std::ranges::find(kOperations, name, &Operation::name);
    return found == std::end(kOperations) ? nullptr : found;
}

}  // namespace tidemill::kinesis

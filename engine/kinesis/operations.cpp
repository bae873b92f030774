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
};

constexpr std::string_view kNotServedYet[] = {"CreateChannel",
                                              "DeleteChannel",
                                              "DeleteResourcePolicy",
                                              "DeregisterStreamConsumer",
                                              "DescribeAccountSettings",
                                              "DescribeChannel",
                                              "DescribeStreamConsumer",
                                              "DisableEnhancedMonitoring",
                                              "EnableEnhancedMonitoring",
                                              "GetResourcePolicy",
                                              "ListChannels",
                                              "ListStreamConsumers",
                                              "ListTagsForResource",
                                              "PutResourcePolicy",
                                              "RegisterStreamConsumer",
                                              "StartStreamEncryption",
                                              "StopStreamEncryption",
                                              "SubscribeToShard",
                                              "TagResource",
                                              "UntagResource",
                                              "UpdateAccountSettings",
                                              "UpdateChannel",
                                              "UpdateMaxRecordSize",
                                              "UpdateStreamMode",
                                              "UpdateStreamRecordDistributionStrategy",
                                              "UpdateStreamWarmThroughput"};

}  // namespace

const Operation* find_operation(std::string_view name) {
    const auto* found = std::ranges::find(kOperations, name, &Operation::name);
    return found == std::end(kOperations) ? nullptr : found;
}

bool is_known_operation(std::string_view name) {
    return find_operation(name) != nullptr ||
           std::ranges::find(kNotServedYet, name) != std::end(kNotServedYet);
}

}  // namespace tidemill::kinesis

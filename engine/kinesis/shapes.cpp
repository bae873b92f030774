#include "engine/kinesis/shapes.h"

namespace tidemill::kinesis::shapes {
namespace {

constexpr std::string_view kIteratorTypes[] = {"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER",
                                               "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"};
constexpr std::string_view kShardFilterTypes[] = {"AFTER_SHARD_ID",    "AT_TRIM_HORIZON",
                                                  "FROM_TRIM_HORIZON", "AT_LATEST",
                                                  "AT_TIMESTAMP",      "FROM_TIMESTAMP"};
constexpr std::string_view kModes[] = {"PROVISIONED", "ON_DEMAND"};

constexpr Member name(bool is_required) {
    return {.name = "StreamName",
            .is_required = is_required,
            .min = 1,
            .max = 128,
            .pattern = Pattern::Name};
}
constexpr Member arn(bool is_required = false) {
    return {.name = "StreamARN",
            .is_required = is_required,
            .min = 1,
            .max = 2048,
            .pattern = Pattern::StreamArn};
}
constexpr Member resource_arn() {
    return {.name = "ResourceARN",
            .is_required = true,
            .min = 1,
            .max = 2048,
            .pattern = Pattern::ResourceArn};
}
constexpr Member consumer_name(bool is_required) {
    return {.name = "ConsumerName",
            .is_required = is_required,
            .min = 1,
            .max = 128,
            .pattern = Pattern::Name};
}
constexpr Member shard_id(std::string_view member, bool is_required) {
    return {
        .name = member, .is_required = is_required, .min = 1, .max = 128, .pattern = Pattern::Name};
}
constexpr Member count(std::string_view member, std::int64_t min, std::int64_t max) {
    return {.name = member, .type = Type::Integer, .min = min, .max = max};
}
constexpr Member flag(std::string_view member) { return {.name = member, .type = Type::Boolean}; }
constexpr Member time(std::string_view member) { return {.name = member, .type = Type::Timestamp}; }
constexpr Member token() { return {.name = "NextToken", .min = 1, .max = 1048576}; }
constexpr Member data() {
    return {.name = "Data", .type = Type::Blob, .is_required = true, .min = 0, .max = kDataMax};
}
/// Streams that distribute records by it insist on it: check_records in put_request.h.
constexpr Member partition_key() {
    return {.name = "PartitionKey", .min = 1, .max = kPartitionKeyMax};
}
constexpr Member hash_key() { return {.name = "ExplicitHashKey", .pattern = Pattern::HashKey}; }
constexpr Member sequence(std::string_view member) {
    return {.name = member, .pattern = Pattern::SequenceNumber};
}

constexpr Member kTagKey{.name = "key", .min = 1, .max = 128};
constexpr Member kTagValue{.name = "value", .min = 0, .max = 256};
constexpr Member tags(bool is_required) {
    return {.name = "Tags",
            .type = Type::Map,
            .is_required = is_required,
            .min = 1,
            .max = 200,
            .key = &kTagKey,
            .element = &kTagValue};
}
constexpr Member kTagKeys{.name = "TagKeys",
                          .type = Type::List,
                          .is_required = true,
                          .min = 1,
                          .max = 50,
                          .element = &kTagKey};

constexpr Member kModeDetailsMembers[] = {
    {.name = "StreamMode", .is_required = true, .one_of = kModes}};
constexpr Shape kModeDetails{kModeDetailsMembers};
constexpr Member mode_details(bool is_required) {
    return {.name = "StreamModeDetails",
            .type = Type::Structure,
            .is_required = is_required,
            .shape = &kModeDetails};
}
constexpr Member warm_throughput(bool is_required) {
    return {
        .name = "WarmThroughputMiBps", .type = Type::Integer, .is_required = is_required, .min = 0};
}
constexpr Member max_record_size(bool is_required) {
    return {.name = "MaxRecordSizeInKiB",
            .type = Type::Integer,
            .is_required = is_required,
            .min = 1024,
            .max = 10240};
}
constexpr std::string_view kStrategies[] = {"AUTO", "USER_PARTITION_KEY"};
constexpr Member distribution(bool is_required) {
    return {
        .name = "RecordDistributionStrategy", .is_required = is_required, .one_of = kStrategies};
}
constexpr Member kCreateStreamMembers[] = {name(true),
                                           count("ShardCount", 1, INT64_MAX),
                                           mode_details(false),
                                           tags(false),
                                           warm_throughput(false),
                                           max_record_size(false),
                                           distribution(false)};
constexpr Member kUpdateModeMembers[] = {arn(true), mode_details(true), warm_throughput(false)};
constexpr Member kUpdateWarmThroughputMembers[] = {name(false), arn(), warm_throughput(true)};
constexpr Member kUpdateMaxRecordSizeMembers[] = {arn(), max_record_size(true)};
constexpr Member kUpdateDistributionMembers[] = {arn(true), distribution(true)};
constexpr Member kDeleteStreamMembers[] = {name(false), arn(), flag("EnforceConsumerDeletion")};
constexpr Member kListStreamsMembers[] = {
    count("Limit", 1, 10000),
    {.name = "ExclusiveStartStreamName", .min = 1, .max = 128, .pattern = Pattern::Name},
    token()};
constexpr Member kDescribeStreamMembers[] = {name(false), arn(), count("Limit", 1, 10000),
                                             shard_id("ExclusiveStartShardId", false)};
constexpr Member kStreamMembers[] = {name(false), arn()};

constexpr Member kShardFilterMembers[] = {
    {.name = "Type", .is_required = true, .one_of = kShardFilterTypes},
    shard_id("ShardId", false),
    time("Timestamp")};
constexpr Shape kShardFilter{kShardFilterMembers};
constexpr Member kListShardsMembers[] = {
    name(false),
    arn(),
    token(),
    shard_id("ExclusiveStartShardId", false),
    count("MaxResults", 1, 10000),
    time("StreamCreationTimestamp"),
    {.name = "ShardFilter", .type = Type::Structure, .shape = &kShardFilter}};

constexpr Member kPutRecordMembers[] = {name(false),   arn(),
                                        data(),        partition_key(),
                                        hash_key(),    sequence("SequenceNumberForOrdering"),
                                        flag("DryRun")};
constexpr Member kEntryMembers[] = {data(), partition_key(), hash_key()};
constexpr Shape kEntry{kEntryMembers};
constexpr Member kPutRecordsMembers[] = {name(false),
                                         arn(),
                                         {.name = "Records",
                                          .type = Type::List,
                                          .is_required = true,
                                          .min = 1,
                                          .max = kRecordsMax,
                                          .shape = &kEntry},
                                         flag("DryRun")};

constexpr Member kGetShardIteratorMembers[] = {
    name(false),
    arn(),
    shard_id("ShardId", true),
    {.name = "ShardIteratorType", .is_required = true, .one_of = kIteratorTypes},
    sequence("StartingSequenceNumber"),
    time("Timestamp"),
    flag("DryRun")};
constexpr Member kGetRecordsMembers[] = {
    {.name = "ShardIterator", .is_required = true, .min = 1, .max = 512},
    count("Limit", 1, 10000),
    arn(),
    flag("DryRun")};

constexpr Member kAddTagsMembers[] = {name(false), arn(), tags(true)};
constexpr Member kRemoveTagsMembers[] = {name(false), arn(), kTagKeys};
constexpr Member kListTagsMembers[] = {name(false),
                                       arn(),
                                       count("Limit", 1, 50),
                                       {.name = "ExclusiveStartTagKey", .min = 1, .max = 128}};
constexpr std::string_view kScalingTypes[] = {"UNIFORM_SCALING"};
constexpr Member kSplitShardMembers[] = {
    name(false),
    arn(),
    shard_id("ShardToSplit", true),
    {.name = "NewStartingHashKey", .is_required = true, .pattern = Pattern::HashKey}};
constexpr Member kMergeShardsMembers[] = {name(false), arn(), shard_id("ShardToMerge", true),
                                          shard_id("AdjacentShardToMerge", true)};
constexpr Member kUpdateShardCountMembers[] = {
    name(false),
    arn(),
    {.name = "TargetShardCount", .type = Type::Integer, .is_required = true, .min = 1},
    {.name = "ScalingType", .is_required = true, .one_of = kScalingTypes}};

constexpr Member kRegisterConsumerMembers[] = {arn(true), consumer_name(true), tags(false)};
constexpr Member kConsumerMembers[] = {
    arn(),
    consumer_name(false),
    {.name = "ConsumerARN", .min = 1, .max = 2048, .pattern = Pattern::ConsumerArn}};
constexpr Member kListConsumersMembers[] = {arn(true), token(), count("MaxResults", 1, 10000),
                                            time("StreamCreationTimestamp")};

constexpr Member kTagResourceMembers[] = {tags(true), resource_arn()};
constexpr Member kUntagResourceMembers[] = {kTagKeys, resource_arn()};
constexpr Member kResourceMembers[] = {resource_arn()};
constexpr Member kPutPolicyMembers[] = {resource_arn(), {.name = "Policy", .is_required = true}};

constexpr std::string_view kEncryptionTypes[] = {"NONE", "KMS"};
constexpr Member kEncryptionMembers[] = {
    name(false),
    arn(),
    {.name = "EncryptionType", .is_required = true, .one_of = kEncryptionTypes},
    {.name = "KeyId", .is_required = true, .min = 1, .max = 2048}};

constexpr std::string_view kMetrics[] = {"IncomingBytes",
                                         "IncomingRecords",
                                         "OutgoingBytes",
                                         "OutgoingRecords",
                                         "WriteProvisionedThroughputExceeded",
                                         "ReadProvisionedThroughputExceeded",
                                         "IteratorAgeMilliseconds",
                                         "ALL"};
constexpr Member kMetric{.name = "metric", .one_of = kMetrics};
constexpr Member kMonitoringMembers[] = {name(false),
                                         arn(),
                                         {.name = "ShardLevelMetrics",
                                          .type = Type::List,
                                          .is_required = true,
                                          .min = 1,
                                          .max = 7,
                                          .element = &kMetric}};

constexpr std::string_view kCommitmentStatuses[] = {"ENABLED", "DISABLED"};
constexpr Member kCommitmentMembers[] = {
    {.name = "Status", .is_required = true, .one_of = kCommitmentStatuses}};
constexpr Shape kCommitment{kCommitmentMembers};
constexpr Member kUpdateAccountSettingsMembers[] = {{.name = "MinimumThroughputBillingCommitment",
                                                     .type = Type::Structure,
                                                     .is_required = true,
                                                     .shape = &kCommitment}};

constexpr Member kRetentionMembers[] = {
    name(false),
    arn(),
    {.name = "RetentionPeriodHours", .type = Type::Integer, .is_required = true}};

constexpr Member kPositionMembers[] = {
    {.name = "Type", .is_required = true, .one_of = kIteratorTypes},
    sequence("SequenceNumber"),
    time("Timestamp")};
constexpr Shape kPosition{kPositionMembers};
constexpr Member kSubscribeToShardMembers[] = {
    {.name = "ConsumerARN",
     .is_required = true,
     .min = 1,
     .max = 2048,
     .pattern = Pattern::ConsumerArn},
    shard_id("ShardId", true),
    {.name = "StartingPosition", .type = Type::Structure, .is_required = true, .shape = &kPosition},
    flag("DryRun")};

}  // namespace

const Shape kEmpty{};
const Shape kCreateStream{kCreateStreamMembers};
const Shape kDeleteStream{kDeleteStreamMembers};
const Shape kListStreams{kListStreamsMembers};
const Shape kDescribeStream{kDescribeStreamMembers};
const Shape kDescribeStreamSummary{kStreamMembers};
const Shape kListShards{kListShardsMembers};
const Shape kPutRecord{kPutRecordMembers};
const Shape kPutRecords{kPutRecordsMembers};
const Shape kGetShardIterator{kGetShardIteratorMembers};
const Shape kGetRecords{kGetRecordsMembers};
const Shape kAddTags{kAddTagsMembers};
const Shape kRemoveTags{kRemoveTagsMembers};
const Shape kListTags{kListTagsMembers};
const Shape kRetention{kRetentionMembers};
const Shape kSplitShard{kSplitShardMembers};
const Shape kMergeShards{kMergeShardsMembers};
const Shape kUpdateShardCount{kUpdateShardCountMembers};
const Shape kRegisterConsumer{kRegisterConsumerMembers};
const Shape kConsumer{kConsumerMembers};
const Shape kSubscribeToShard{kSubscribeToShardMembers};
const Shape kListConsumers{kListConsumersMembers};
const Shape kTagResource{kTagResourceMembers};
const Shape kUntagResource{kUntagResourceMembers};
const Shape kResource{kResourceMembers};
const Shape kPutPolicy{kPutPolicyMembers};
const Shape kEncryption{kEncryptionMembers};
const Shape kMonitoring{kMonitoringMembers};
const Shape kUpdateAccountSettings{kUpdateAccountSettingsMembers};
const Shape kUpdateMode{kUpdateModeMembers};
const Shape kUpdateWarmThroughput{kUpdateWarmThroughputMembers};
const Shape kUpdateMaxRecordSize{kUpdateMaxRecordSizeMembers};
const Shape kUpdateDistribution{kUpdateDistributionMembers};

}  // namespace tidemill::kinesis::shapes

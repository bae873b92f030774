#pragma once

#include "engine/aws/shape.h"

/// The requests of the operations served. Source: the Kinesis service model.
namespace tidemill::kinesis::shapes {

using namespace aws;

extern const Shape kEmpty;
extern const Shape kCreateStream, kDeleteStream, kListStreams;
extern const Shape kDescribeStream, kDescribeStreamSummary, kListShards;
extern const Shape kSplitShard, kMergeShards, kUpdateShardCount;
extern const Shape kPutRecord, kPutRecords;
extern const Shape kGetShardIterator, kGetRecords;
extern const Shape kAddTags, kRemoveTags, kListTags, kRetention;
extern const Shape kRegisterConsumer, kConsumer, kListConsumers, kSubscribeToShard;
extern const Shape kTagResource, kUntagResource, kResource, kPutPolicy;
extern const Shape kEncryption, kMonitoring, kUpdateAccountSettings;
extern const Shape kUpdateMode, kUpdateWarmThroughput, kUpdateMaxRecordSize, kUpdateDistribution;

/// Of a record's data, before base64; each stream has a bound of its own, 1 MiB at first.
constexpr std::int64_t kDataMax = 10 << 20;
constexpr std::int64_t kPartitionKeyMax = 256;
constexpr std::int64_t kRecordsMax = 500;

}  // namespace tidemill::kinesis::shapes

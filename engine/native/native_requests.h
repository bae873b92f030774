#pragma once

#include "engine/native/native_connection.h"

namespace tidemill {

// What is asked once and answered once, one function a family. Each answers through `reply`, with
// an error where it fails; Core: the connection's.

/// True for the kinds that `answer_native_request` serves.
bool is_native_request(std::uint8_t kind);
Task<void> answer_native_request(NativeConnection& connection, NativeRequest request,
                                 NativeReply& reply);

// reading.cpp: Fetch, Tail, SeekTime, ProducerPosition
Task<Status> answer_reading(NativeConnection& connection, const NativeRequest& request,
                            NativeReply& reply);
// streams.cpp: CreateStream, DeleteStream, DescribeStream, ListStreams
Task<Status> answer_streams(NativeConnection& connection, const NativeRequest& request,
                            NativeReply& reply);
// resharding.cpp: SplitShard, MergeShards, ScaleStream
Task<Status> answer_resharding(NativeConnection& connection, const NativeRequest& request,
                               NativeReply& reply);
// retention.cpp: SetRetention
Task<Status> answer_retention(NativeConnection& connection, const NativeRequest& request,
                              NativeReply& reply);
// settings.cpp: EditTags, SetMode, RegisterConsumer, DeregisterConsumer
Task<Status> answer_settings(NativeConnection& connection, const NativeRequest& request,
                             NativeReply& reply);
// usage.cpp: ShardRates, Limits
Task<Status> answer_usage(NativeConnection& connection, const NativeRequest& request,
                          NativeReply& reply);
// leases.cpp: Checkpoints, AcquireLease, SaveCheckpoint, ReleaseLease
Task<Status> answer_leases(NativeConnection& connection, const NativeRequest& request,
                           NativeReply& reply);

/// Counts what a reader is given, where metrics of single shards are shown.
void count_read(StreamService& service, ShardUid shard, const ReadResult& result);
wire::FetchReply fetch_reply_of(const ReadResult& result);

}  // namespace tidemill

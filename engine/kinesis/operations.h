#pragma once

#include <string_view>

#include "engine/aws/shape.h"
#include "engine/io/task.h"
#include "engine/kinesis/call.h"

namespace tidemill::kinesis {

using namespace aws;

/// One operation of the API. To add one: its shape in shapes.cpp, a function in the file of its
/// family, a line in operations.cpp.
struct Operation {
    std::string_view name;
    const Shape* shape;  ///< null: the operation decodes `call.body` itself, `call.input` is empty
    Task<ApiStatus> (*run)(Call& call);
};

/// Null when there is none of that name.
const Operation* find_operation(std::string_view name);

// stream_lifecycle.cpp
Task<ApiStatus> create_stream(Call& call);
Task<ApiStatus> delete_stream(Call& call);
// describe.cpp
Task<ApiStatus> describe_stream(Call& call);
Task<ApiStatus> describe_stream_summary(Call& call);
Task<ApiStatus> describe_limits(Call& call);
// resharding.cpp
Task<ApiStatus> split_shard(Call& call);
Task<ApiStatus> merge_shards(Call& call);
Task<ApiStatus> update_shard_count(Call& call);
// list_streams.cpp
Task<ApiStatus> list_streams(Call& call);
// list_shards.cpp
Task<ApiStatus> list_shards(Call& call);
// put_record.cpp, put_records.cpp
Task<ApiStatus> put_record(Call& call);
Task<ApiStatus> put_records(Call& call);
// get_shard_iterator.cpp, get_records.cpp
Task<ApiStatus> get_shard_iterator(Call& call);
Task<ApiStatus> get_records(Call& call);
// subscribe_to_shard.cpp
Task<ApiStatus> subscribe_to_shard(Call& call);
// consumers.cpp
Task<ApiStatus> register_stream_consumer(Call& call);
Task<ApiStatus> deregister_stream_consumer(Call& call);
Task<ApiStatus> describe_stream_consumer(Call& call);
Task<ApiStatus> list_stream_consumers(Call& call);
// tags.cpp
Task<ApiStatus> add_tags_to_stream(Call& call);
Task<ApiStatus> remove_tags_from_stream(Call& call);
Task<ApiStatus> list_tags_for_stream(Call& call);
Task<ApiStatus> tag_resource(Call& call);
Task<ApiStatus> untag_resource(Call& call);
Task<ApiStatus> list_tags_for_resource(Call& call);
// policies.cpp
Task<ApiStatus> put_resource_policy(Call& call);
Task<ApiStatus> get_resource_policy(Call& call);
Task<ApiStatus> delete_resource_policy(Call& call);
// encryption.cpp
Task<ApiStatus> start_stream_encryption(Call& call);
Task<ApiStatus> stop_stream_encryption(Call& call);
// settings.cpp
Task<ApiStatus> update_stream_mode(Call& call);
Task<ApiStatus> update_warm_throughput(Call& call);
Task<ApiStatus> update_max_record_size(Call& call);
Task<ApiStatus> update_record_distribution(Call& call);
// monitoring.cpp
Task<ApiStatus> enable_enhanced_monitoring(Call& call);
Task<ApiStatus> disable_enhanced_monitoring(Call& call);
// account.cpp
Task<ApiStatus> describe_account_settings(Call& call);
Task<ApiStatus> update_account_settings(Call& call);
// channels.cpp
Task<ApiStatus> refuse_channels(Call& call);
// retention.cpp
Task<ApiStatus> increase_retention(Call& call);
Task<ApiStatus> decrease_retention(Call& call);

}  // namespace tidemill::kinesis

#pragma once

#include "engine/catalog/stream.h"
#include "engine/kinesis/json_writer.h"

namespace tidemill::kinesis {

/// One Shard of DescribeStream and ListShards.
void write_shard(JsonWriter& json, const ShardInfo& shard);
/// "HashKeyRange":{...}
void write_hash_range(JsonWriter& json, const HashRange& range);

std::string_view status_text(StreamStatus status);
std::string_view mode_text(StreamMode mode);

}  // namespace tidemill::kinesis

#pragma once

#include "engine/aws/document_writer.h"
#include "engine/catalog/stream.h"

namespace tidemill::kinesis {

using namespace aws;

/// One Shard of DescribeStream and ListShards.
void write_shard(DocumentWriter& out, const ShardInfo& shard);
/// "HashKeyRange":{...}
void write_hash_range(DocumentWriter& out, const HashRange& range);

/// Shards that a split or merge of `parent` has made.
bool has_children(const StreamInfo& stream, const ShardInfo& parent);
/// "ChildShards":[...]
void write_children(DocumentWriter& out, const StreamInfo& stream, const ShardInfo& parent);

std::string_view status_text(StreamStatus status);
std::string_view mode_text(StreamMode mode);

}  // namespace tidemill::kinesis

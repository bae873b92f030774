#include "engine/kinesis/shard_document.h"

#include "engine/service/sequence.h"

namespace tidemill::kinesis {

void write_hash_range(DocumentWriter& out, const HashRange& range) {
    out.key("HashKeyRange").begin_object();
    out.key("StartingHashKey").plain_text(to_decimal(range.first));
    out.key("EndingHashKey").plain_text(to_decimal(range.last));
    out.end_object();
}

void write_shard(DocumentWriter& out, const ShardInfo& shard) {
    out.begin_object();
    out.key("ShardId").plain_text(shard_id_text(shard.index));
    if (shard.parent) out.key("ParentShardId").plain_text(shard_id_text(*shard.parent));
    if (shard.adjacent_parent)
        out.key("AdjacentParentShardId").plain_text(shard_id_text(*shard.adjacent_parent));
    write_hash_range(out, shard.range);
    out.key("SequenceNumberRange").begin_object();
    out.key("StartingSequenceNumber").plain_text(starting_sequence(shard).to_string());
    if (!shard.is_open())
        out.key("EndingSequenceNumber").plain_text(ending_sequence(shard).to_string());
    out.end_object();
    out.end_object();
}

bool has_children(const StreamInfo& stream, const ShardInfo& parent) {
    for (const auto& child : stream.shards)
        if (child.parent == parent.index || child.adjacent_parent == parent.index) return true;
    return false;
}

void write_children(DocumentWriter& out, const StreamInfo& stream, const ShardInfo& parent) {
    out.key("ChildShards").begin_array();
    for (const auto& child : stream.shards) {
        if (child.parent != parent.index && child.adjacent_parent != parent.index) continue;
        out.begin_object();
        out.key("ShardId").plain_text(shard_id_text(child.index));
        out.key("ParentShards").begin_array();
        out.plain_text(shard_id_text(*child.parent));
        if (child.adjacent_parent) out.plain_text(shard_id_text(*child.adjacent_parent));
        out.end_array();
        write_hash_range(out, child.range);
        out.end_object();
    }
    out.end_array();
}

std::string_view status_text(StreamStatus status) {
    switch (status) {
        case StreamStatus::Creating:
            return "CREATING";
        case StreamStatus::Active:
            return "ACTIVE";
        case StreamStatus::Updating:
            return "UPDATING";
        case StreamStatus::Deleting:
            return "DELETING";
    }
    return "ACTIVE";
}

std::string_view mode_text(StreamMode mode) {
    return mode == StreamMode::OnDemand ? "ON_DEMAND" : "PROVISIONED";
}

}  // namespace tidemill::kinesis

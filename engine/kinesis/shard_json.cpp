#include "engine/kinesis/shard_json.h"

#include "engine/service/sequence.h"

namespace tidemill::kinesis {

void write_hash_range(JsonWriter& json, const HashRange& range) {
    json.key("HashKeyRange").begin_object();
    json.key("StartingHashKey").plain_text(to_decimal(range.first));
    json.key("EndingHashKey").plain_text(to_decimal(range.last));
    json.end_object();
}

void write_shard(JsonWriter& json, const ShardInfo& shard) {
    json.begin_object();
    json.key("ShardId").plain_text(shard_id_text(shard.index));
    if (shard.parent) json.key("ParentShardId").plain_text(shard_id_text(*shard.parent));
    if (shard.adjacent_parent)
        json.key("AdjacentParentShardId").plain_text(shard_id_text(*shard.adjacent_parent));
    write_hash_range(json, shard.range);
    json.key("SequenceNumberRange").begin_object();
    json.key("StartingSequenceNumber").plain_text(starting_sequence(shard).to_string());
    if (!shard.is_open())
        json.key("EndingSequenceNumber").plain_text(ending_sequence(shard).to_string());
    json.end_object();
    json.end_object();
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

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/stream.h"

namespace tidemill {

/// True when a shard may be split there: first + 1 < key < last, so that neither child is a single
/// key. Source: AWS, SplitShard.
bool may_split_at(const HashRange& range, uint128 key);
/// The key that halves a range; may_split_at is false for it when the range is too narrow to split.
uint128 middle_key(const HashRange& range);
/// True when `next` begins where `range` ends.
bool is_followed_by(const HashRange& range, const HashRange& next);

// Plans. Each names the shards that close and those that take their ranges over, without uids. The
// added shards' creation times lie in a later second than those of every shard they come from: a
// sequence number begins with its shard's creation second, so a key's numbers keep growing.

/// `key` begins the second child. Errors: NotFound, InvalidArgument.
Result<Reshard> plan_split(const StreamInfo& stream, std::uint32_t shard_index, uint128 key,
                           WallTime now);
/// The two must be neighbours, in either order; `shard_index` becomes the child's parent and the
/// other its adjacent parent. Errors: NotFound, InvalidArgument.
Result<Reshard> plan_merge(const StreamInfo& stream, std::uint32_t shard_index,
                           std::uint32_t adjacent_index, WallTime now);
/// To `count` even ranges in one step, but for rounding: boundaries and shards that are right stay.
/// A child has at most two parents: where more are needed, empty shards that are closed from the
/// start stand in between and carry the lineage. A plan without shards to close when nothing is to
/// be done. Errors: InvalidArgument.
Result<Reshard> plan_scale(const StreamInfo& stream, std::uint32_t count, WallTime now);

/// A split where `key` begins the second child, or, without a key, a merge of two neighbours.
struct ShardChange {
    std::uint32_t shard_index = 0;
    std::uint32_t adjacent_index = 0;  ///< of a merge
    std::optional<uint128> key;
};
/// Splits and merges of different shards in one step. Errors: as plan_split and plan_merge;
/// InvalidArgument when a shard is named twice.
Result<Reshard> plan_changes(const StreamInfo& stream, const std::vector<ShardChange>& changes,
                             WallTime now);

/// Carries `stream.reshard` out: closes its parents, adds its shards, the stream is active again.
/// `ends[i]` is one past the last record of `closing[i]`.
void finish_reshard(StreamInfo& stream, const std::vector<Ordinal>& ends, WallTime closed);

}  // namespace tidemill

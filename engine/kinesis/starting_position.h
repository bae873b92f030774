#pragma once

#include <optional>
#include <string_view>

#include "engine/io/task.h"
#include "engine/kinesis/call.h"

namespace tidemill::kinesis {

/// Where a reader of a shard wants to begin, as GetShardIterator and SubscribeToShard have it.
/// Ownership: views the call's input.
struct StartingPosition {
    std::string_view type;
    std::optional<std::string_view> number;  ///< a sequence number
    std::optional<WallTime> time;
};

/// Type, number and time must fit together. Errors: InvalidArgumentException.
ApiStatus check_position(const Call& call, const StartingPosition& position);

/// Where reading begins, of a checked position. Everything but TRIM_HORIZON is settled now: what is
/// written between this call and the first read must not be lost. `operation` is named in errors:
/// InvalidArgumentException.
Task<ApiResult<Ordinal>> first_ordinal(const Call& call, const StreamInfo& stream,
                                       const ShardInfo& shard, const StartingPosition& position,
                                       std::string_view operation);

}  // namespace tidemill::kinesis

#pragma once

#include <vector>

#include "engine/log/lane_parts.h"

namespace tidemill {

/// Where the index says that a batch lies.
struct PlannedBatch {
    std::uint64_t position = 0;  ///< in the segment's file
    std::uint32_t bytes = 0;
    Ordinal first_ordinal = 0;
};

/// The batches of `shard` from `from` on, up to the limits, that the index knows one by one, if
/// they lie so far apart that reading what is between them would cost more than reading each alone;
/// else nothing.
std::vector<PlannedBatch> plan_scattered_read(const SegmentFooter& footer, ShardUid shard,
                                              Ordinal from, const ReadLimits& limits);

/// Reads the planned batches, all at once, and checks them. Ends before the first that is not what
/// the index says or does not follow on the one before it: whoever walks the commits meets the
/// reason there. The caller holds a pin.
Task<std::vector<BufferSlice>> read_scattered(LaneParts& parts, Segment& segment, ShardUid shard,
                                              std::vector<PlannedBatch> plan);

}  // namespace tidemill

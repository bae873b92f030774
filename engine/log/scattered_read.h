#pragma once

#include <vector>

#include "engine/log/lane_parts.h"

namespace tidemill {

/// Batches of one shard that the indexes know one by one and that lie far apart, in one segment or
/// several. Keeps the segments.
struct ScatteredPlan {
    struct Batch {
        Segment* segment = nullptr;
        std::uint64_t position = 0;  ///< in the segment's file
        std::uint32_t bytes = 0;
        Ordinal first_ordinal = 0;
    };
    std::vector<SegmentPin> pins;
    std::vector<Batch> batches;
};

/// What to read of `shard` from `from` on, up to the limits, beginning in `segment`, if reading the
/// log between the batches would cost more than reading each alone; else nothing. The caller holds
/// a pin and has loaded the segment's footer.
Task<ScatteredPlan> plan_scattered_read(LaneParts& parts, Segment& segment, ShardUid shard,
                                        Ordinal from, ReadLimits limits);

/// Reads the planned batches, all at once, and checks them. Ends before the first that is not what
/// the index says or does not follow on the one before it: whoever walks the commits meets the
/// reason there.
Task<std::vector<BufferSlice>> read_scattered(LaneParts& parts, ShardUid shard, ScatteredPlan plan);

}  // namespace tidemill

#pragma once

#include <vector>

#include "engine/log/lane_parts.h"
#include "engine/log/segment_scanner.h"

namespace tidemill {

/// Where a lane's log ends.
struct RecoveredLane {
    std::uint64_t last_commit = 0;
    std::uint32_t last_check = 0;
    std::int64_t last_arrival_ms = 0;
    std::uint64_t scanned_bytes = 0;
    bool is_torn = false;              ///< something unacknowledged was dropped
    std::vector<DamagedRange> damage;  ///< acknowledged and no longer whole
};

/// Loads the lane's segments, finds its end, fills the shard table, and seals every segment that
/// has no seal. After it nothing is written to any segment that is there now. Rules and proofs:
/// docs/formats/commit.md. Time: the ends table of the newest sealed segment and a scan of what
/// follows it. Errors: IoFailed, NoSpace (the log cannot be read or secured now; try again).
Task<Result<RecoveredLane>> recover_lane(LaneParts& parts);

}  // namespace tidemill

#pragma once

#include <cstdint>
#include <vector>

#include "engine/log/lane_parts.h"

namespace tidemill {

/// What the shards with records in one segment may still ask of it, estimated from its footer or
/// its index builder: exact in whether anything is owed, linear in between by ordinal and by time.
class SegmentClaims {
 public:
    /// Of a sealed segment with that footer.
    SegmentClaims(const SegmentFooter& footer, LaneParts& parts);
    /// Of the segment that is being written.
    SegmentClaims(const SegmentIndexBuilder& building, LaneParts& parts);

    /// Bytes of batches, owed or not.
    std::uint64_t total_bytes() const { return total_bytes_; }
    std::uint64_t live_bytes(std::int64_t at_ms) const;
    /// From when on nothing is owed; INT64_MAX when a shard in it is not configured yet.
    std::int64_t dead_ms() const;
    /// How long `segment` is owed to somebody, and when it becomes worth rewriting.
    SegmentLife life(const Segment& segment, std::int64_t now_ms, double live_share,
                     std::uint64_t gain_min) const;

 private:
    struct Claim {
        std::uint64_t bytes;             // what trim has left of it
        std::int64_t first_ms, last_ms;  // when its records expire
    };
    void add(LaneParts& parts, std::uint32_t shard, std::uint64_t bytes, Ordinal first, Ordinal end,
             std::int64_t first_arrival_ms, std::int64_t last_arrival_ms);

    std::vector<Claim> claims_;
    std::uint64_t total_bytes_ = 0;
};

}  // namespace tidemill

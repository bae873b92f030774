#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/log/lane_parts.h"

namespace tidemill {

/// How many bytes each shard with a `max_bytes` stores, and how far its oldest records have to go.
/// Known by segment, linear by ordinal in between. Core: the lane's.
/// Limits: shards without a bound cost nothing; one with a bound at most 64 steps of 32 bytes, and
/// a look at it in a tick in which the lane has written.
class SizeBounds {
 public:
    explicit SizeBounds(LaneParts& parts) : parts_(parts) {}

    /// 0: no bound.
    void set_bound(ShardUid shard, std::uint64_t max_bytes);
    bool is_empty() const { return ledgers_.empty(); }

    /// Takes in what was written since the last call; for a new bound, what is there.
    /// Suspends: to load footers. Errors: those of a footer; the next call tries again.
    Task<Status> count();

    struct Excess {
        ShardUid shard;
        Ordinal trim = 0;                           ///< records before it must go
        std::uint64_t first_segment, last_segment;  ///< where they are
    };
    /// The shards that store more than they may. What they are to trim leaves a little room, so
    /// that a busy shard is not trimmed for every batch.
    std::vector<Excess> excess();

    /// After the log was loaded anew: bounds stay, what was counted goes.
    void forget();

 private:
    struct Step {
        std::uint64_t segment;
        Ordinal first, end;
        std::uint64_t bytes;
        std::uint64_t bytes_from(Ordinal trim) const;
    };
    struct Ledger {
        std::uint64_t max_bytes = 0;
        std::deque<Step> steps;  // oldest first
        bool is_counted = false, is_changed = true;
        void append(const Step& step);
    };
    Task<Status> count_new();
    Task<Status> count_old();
    static Step step_of(std::uint64_t number, const SegmentFooter& footer, std::uint32_t shard);

    LaneParts& parts_;
    boost::unordered_flat_map<std::uint32_t, Ledger> ledgers_;
    std::uint64_t counted_to_ = 0;  // the counted ledgers know segments before it
};

}  // namespace tidemill

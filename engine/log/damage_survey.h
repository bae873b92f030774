#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "engine/log/segment_scanner.h"
#include "engine/log/segment_store.h"

namespace tidemill {

/// Tells records that were destroyed from those that are owed to nobody any more: what the
/// destroyed commits of a damaged segment held. Core: the lane's.
class DamageSurvey {
 public:
    explicit DamageSurvey(SegmentStore& segments) : segments_(segments) {}

    /// The first record of the shard from `from` up to `to`, none of which `segment` has, that may
    /// have been destroyed there; `to` when none was. `damaged_at`: where a destroyed commit was
    /// just met. The caller holds a pin. Suspends: the first time, and when that damage is new, for
    /// a read of the whole segment. Errors: IoFailed.
    Task<Result<Ordinal>> first_lost(Segment& segment, ShardUid shard, Ordinal from, Ordinal to,
                                     std::optional<std::uint64_t> damaged_at);
    void forget() { known_.clear(); }

 private:
    struct Losses {
        bool is_complete = true;
        std::vector<DirectoryEntry> batches;
        std::vector<DamagedRange> ranges;
        bool include(std::optional<std::uint64_t> position) const;
    };
    static Task<Result<Losses>> scan(Segment& segment);

    SegmentStore& segments_;
    std::map<std::uint64_t, Losses> known_;  // by the segment's salt
};

}  // namespace tidemill

#pragma once

#include <optional>

#include "engine/log/commit_walk.h"
#include "engine/log/damage_survey.h"
#include "engine/log/lane_parts.h"

namespace tidemill {

/// Finds and reads committed batches: at the tip from the tail cache, older ones from the segments.
/// Core: the lane's. Callers are inside the lane's gate.
class LaneReader {
 public:
    explicit LaneReader(LaneParts& parts)
        : parts_(parts), chunks_(parts), survey_(parts.segments) {}

    /// Contract: LogStore::read.
    Task<Result<ReadResult>> read(ShardUid shard, Ordinal from, ReadLimits limits);
    /// The first record that arrived at or after the time, expired or not.
    struct Sought {
        Ordinal ordinal = 0;
        std::int64_t arrival_ms = -1;  ///< -1: nothing so late has arrived yet
        bool is_sure = true;           ///< false: damage may hide what stands before it
    };
    Task<Result<Sought>> seek_time(ShardUid shard, std::int64_t arrival_ms);
    /// Moves the shard's trim up to the first record that has not expired.
    Task<Status> refresh_trim(ShardUid shard);
    void forget() {
        chunks_.forget();
        survey_.forget();
    }

 private:
    /// The first record of a packed `batch` that arrived at or after the time; nothing when the
    /// batch is another, or has none.
    Task<Result<std::optional<Sought>>> seek_inside(Segment& segment, CommitWalk::Batch batch,
                                                    std::int64_t arrival_ms);
    static void cut_gone(const ShardState& state, BufferSlice& slice);
    bool is_expired(const ShardState& state, std::int64_t arrival_ms) const;
    void read_tail(const ShardState& state, Ordinal from, ReadLimits limits,
                   ReadResult& result) const;
    /// Records of a shard may be missing in `segment` without harm.
    bool may_lack(const Segment& segment) const;
    /// The first of the shard's records from `from` up to `to`, which `segment` does not have, that
    /// is owed to readers; `to` when none is. `damaged_at`: where damage was just met.
    Task<Result<Ordinal>> first_owed(Segment& segment, ShardUid shard, Ordinal from, Ordinal to,
                                     bool may_lack, std::optional<std::uint64_t> damaged_at);
    Task<Status> read_disk(ShardUid shard, Ordinal from, ReadLimits limits, ReadResult& result);
    Task<Status> read_segment(Segment& segment, ShardUid shard, Ordinal from, bool may_lack,
                              ReadLimits limits, ReadResult& result);
    /// Records before `ordinal` are found to be gone.
    void skip_to(ShardUid shard, Ordinal ordinal);
    /// Position in live() of the first segment for which `is_reached(end entry)` holds.
    template <class IsReached>
    Task<Result<std::size_t>> first_segment(ShardUid shard, IsReached is_reached);

    LaneParts& parts_;
    ChunkCache chunks_;
    DamageSurvey survey_;
};

}  // namespace tidemill

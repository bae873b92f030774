#pragma once

#include <functional>

#include "engine/log/commit_writer.h"
#include "engine/log/lane_parts.h"
#include "engine/log/segment_rewriter.h"
#include "engine/log/size_bounds.h"

namespace tidemill {

/// Lets go of what is owed to nobody any more: retires the oldest segments, has others rewritten
/// without it (docs/formats/segment.md), keeps shards within their max_bytes, and makes room when
/// the disk is full and the configuration says so. Segments full of small batches it has rewritten,
/// too, when nothing else is to be.
/// Core: the lane's. Limits: a segment is looked at when a policy has changed or its time has come,
/// a few in a tick; nothing is done for idle shards.
class Retention {
 public:
    Retention(LaneParts& parts, CommitWriter& writer);

    /// A shard was configured anew, trimmed or deleted: all segments are looked at again.
    void policy_changed() { ++policy_; }
    /// 0: no bound.
    void set_bound(ShardUid shard, std::uint64_t max_bytes) { sizes_.set_bound(shard, max_bytes); }
    /// Once a tick.
    Task<void> round();
    /// When a segment was sealed: a busy shard would outgrow its max_bytes by far within a tick,
    /// and what it lets go of is used again at once.
    Task<void> segment_sealed();
    /// Rewriting stops soon and does not begin until `resume`.
    void interrupt() { is_interrupted_ = true; }
    void resume() { is_interrupted_ = false, policy_changed(); }
    bool is_busy() const { return rewriting_ != 0; }
    /// Forgets what was known of segments and shards: they were loaded anew.
    void forget() { sizes_.forget(); }

    /// With `when_full` drop_oldest: drops the oldest segment. Says whether it has dropped one.
    Task<bool> make_room(std::uint64_t bytes);
    void fill_stats(LogStats& stats) const;

 private:
    Task<void> let_go();
    Task<void> look_at_segments();
    std::uint64_t worth_packing(const Segment& segment, const SegmentFooter& footer) const;
    const Segment* next_to_pack(std::int64_t now) const;
    void retire_dead();
    void end_newest_when_dead();
    Task<void> keep_sizes();
    void start_rewriting();
    Task<void> rewrite(std::uint64_t number);
    void drop_idle_spares();
    /// Changes whenever what was computed of segments' lives holds no more.
    std::uint64_t policy() const { return policy_ + parts_.clock.leaps(); }
    std::int64_t now_ms() const { return to_millis(parts_.wall_now()); }

    LaneParts& parts_;
    CommitWriter& writer_;
    SegmentRewriter rewriter_;
    SizeBounds sizes_;
    std::uint64_t policy_ = 1;
    std::uint64_t newest_policy_ = 0;  // when the newest segment was looked at last
    MonoTime newest_again_{};
    std::uint64_t rewriting_ = 0;  // number of the segment being rewritten
    bool is_packing_ = false;      // for its small batches, not for what is dead in it
    MonoTime rewrite_again_{};
    bool is_interrupted_ = false;
    bool is_looking_ = false;
    std::uint64_t commits_ = 0;  // as of the last tick that saw a new one
    MonoTime busy_at_{};
};

}  // namespace tidemill

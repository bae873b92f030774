#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "engine/log/lane_parts.h"
#include "engine/log/zero_ahead.h"

namespace tidemill {

/// One commit on its way: open (taking batches), closed, sealed (placed in the log), being written,
/// durable.
struct Commit {
    TailBlock* block = nullptr;
    std::size_t begin = 0,
                end =
                    0;  ///< in the block; end: where the next batch goes, then the directory's end
    std::int64_t arrival_ms = 0;
    MonoTime opened{};
    std::uint32_t epoch = 1;
    bool is_closed = false;
    bool is_returned = false;  ///< the write has ended
    bool has_batches = false;
    Status status;
    std::uint64_t number = 0, position = 0;
    std::uint64_t records = 0;
    std::size_t batch_bytes = 0;
    std::size_t published_entries = 0, published_ops = 0;
    MonoTime issued{};
    std::vector<DirectoryEntry> entries;
    std::vector<AppendOp*> ops;           ///< duplicates of what is inside too
    std::vector<ProducedBatch> produced;  ///< the batches with a producer id, in order

    std::size_t bytes() const { return end - begin; }
};

/// Group commit: collects appends into the open commit, writes several commits at once,
/// acknowledges in log order. Format and placement: docs/formats/commit.md. Core: the lane's.
/// Limits: LogConfig::pending_bytes_max; no allocation per append, none per commit once warm.
class CommitWriter {
 public:
    /// `wake` is asked for a turn end whenever there is something to do there.
    CommitWriter(LaneParts& parts, TurnHook& wake)
        : parts_(parts), wake_(wake), ahead_(parts, wake) {}

    /// After a recovery: the log ends with commit `last`, whose header_crc is `last_check`;
    /// arrivals go on from `arrival_ms`.
    void start(std::uint64_t last, std::uint32_t last_check, std::int64_t arrival_ms);

    void submit(AppendOp& op, Ownership ownership);
    /// Puts a control into the log; `op` (shard set, no batch) ends with the commit.
    void submit_control(AppendOp& op, Control control, std::uint64_t value);
    /// Ends `op` without having written anything; its `done` comes at the turn's end.
    void reject(AppendOp& op, Outcome outcome, Errc code, std::string message);

    /// Writes what may be written now, and takes in what has become durable.
    void pump();
    /// Calls `done` of all that has ended since.
    void deliver();
    bool has_undelivered() const { return !finished_.empty(); }
    /// Shards whose end moved or that were sealed since the last call; may repeat a shard.
    std::vector<ShardUid> take_advanced() { return std::exchange(advanced_, {}); }

    bool is_idle() const { return pending_.empty() && in_flight_.empty() && is_quiet(); }
    bool is_broken() const { return is_broken_; }
    /// No write and no work on segments is under way.
    bool is_quiet() const { return writing_ == 0 && background_ == 0 && !ahead_.is_busy(); }
    const Error& breakage() const { return breakage_; }
    /// After a breakage, once quiet: what was written ends Unknown, what was not is rejected.
    void give_up();
    /// Appends are refused from now on; what is pending is still written.
    void stop() { is_stopping_ = true; }
    /// Seals the segment that is written now and gives the rest of its file back; the next commit
    /// begins another. False when something is on its way into it: try again.
    bool end_segment();
    /// Asked to free that many bytes before producers are refused for want of space; says whether
    /// it has freed any.
    void on_no_space(std::move_only_function<Task<bool>(std::uint64_t)> make_room) {
        make_room_ = std::move(make_room);
    }
    /// Called when a full segment was sealed.
    void on_sealed(std::move_only_function<void()> done) { sealed_ = std::move(done); }

    /// Durability `memory`: makes what has been written so far survive a loss of power.
    Task<void> sync_written();

    std::uint64_t last_number() const { return next_number_ - 1; }
    std::uint32_t last_check() const { return last_check_; }
    Segment* segment() const { return segment_; }
    /// Submitted, and neither durable nor refused.
    std::size_t pending_bytes() const { return pending_bytes_; }

 private:
    Commit& room_for(std::size_t bytes, std::int64_t arrival_ms);
    Commit& open_commit(std::size_t bytes);
    void close(Commit& commit);
    bool may_write(const Commit& commit) const;
    bool may_wait(const Commit& commit) const;
    Task<void> write_later(MonoTime when);
    std::uint64_t position_for(const Commit& commit) const;
    void seal_and_write(std::unique_ptr<Commit> commit);
    void place_neighbours(const Commit& commit);
    Task<void> write(Commit& commit, Segment& segment);
    void publish(Commit& commit);
    void complete(std::unique_ptr<Commit> commit);
    void break_lane(Error error);
    /// Writes go without a flush of their own; one follows every tick and with each segment.
    bool is_synced_later() const { return parts_.config.durability == LogDurability::Memory; }
    Task<Status> make_durable();
    Task<void> prepare_spare();
    bool fits_segment(const Commit& commit, std::uint64_t position) const;
    enum class GiveBack { Nothing, Rest };  // of the file behind the last commit
    /// A failure is reported: the next start makes what is missing.
    Task<bool> seal(Segment& segment, SealedState state, std::uint64_t last, std::uint32_t check,
                    GiveBack what);
    Task<void> seal_ended(Segment& old, SealedState state, std::uint64_t last, std::uint32_t check);
    void end_background();
    Task<void> roll_over_and_prepare();
    Task<bool> roll_over();
    void refuse_pending(Errc code, const std::string& message);
    void recycle(std::unique_ptr<Commit> commit);
    bool is_refused(AppendOp& op, const ShardState* state, std::uint32_t epoch);
    bool is_overload(AppendOp& op);
    bool is_without_space(AppendOp& op);
    bool is_settled_by_producer(AppendOp& op);
    void join_first_copy(AppendOp& op);

    LaneParts& parts_;
    TurnHook& wake_;
    ZeroAhead ahead_;
    std::deque<std::unique_ptr<Commit>> pending_;    // not sealed yet; only the last may be open
    std::deque<std::unique_ptr<Commit>> in_flight_;  // in log order
    std::vector<std::unique_ptr<Commit>> idle_;      // to be used again
    std::vector<AppendOp*> finished_, delivering_;
    std::vector<ShardUid> advanced_;
    std::size_t pending_bytes_ = 0;

    Segment* segment_ = nullptr;      // null until the first commit after a start
    std::uint64_t end_position_ = 0;  // of the last sealed commit, in segment_
    std::uint64_t next_number_ = 1, written_number_ = 0, durable_number_ = 0;
    std::uint32_t last_check_ = 0;
    std::int64_t arrival_ms_ = 0;  // never decreases within the lane

    TailBlock* block_ = nullptr;  // where commits are built
    std::size_t cursor_ = 0;      // end of the last closed commit in block_
    Buffer last_buffer_;          // holds the last sealed commit's partial block
    std::size_t last_end_ = 0;

    std::uint32_t writing_ = 0;     // writes that have not returned
    std::uint32_t background_ = 0;  // tasks that work on segments
    bool is_rolling_ = false, is_broken_ = false, is_stopping_ = false;
    bool is_wake_set_ = false;  // write_later is under way
    MonoTime no_space_until_{};
    Error breakage_;
    std::string no_space_;  // why there is none
    std::move_only_function<Task<bool>(std::uint64_t)> make_room_;
    std::move_only_function<void()> sealed_;
};

}  // namespace tidemill

#pragma once

#include <memory>

#include "engine/log/commit_writer.h"
#include "engine/log/lane_parts.h"
#include "engine/log/lane_reader.h"
#include "engine/log/recovery.h"
#include "engine/log/retention.h"
#include "engine/log/scrub.h"

namespace tidemill {

/// One sequential log and the shards on it. The functions are those of LogStore
/// (engine/log/log_store.h), for one lane. Core: the lane's reactor. Destroy after `stop`.
class Lane final : TurnHook {
 public:
    Lane(Reactor& reactor, const LogConfig& config, SpaceBudget& space, std::uint64_t log_id,
         LaneId id, std::uint64_t seed);
    ~Lane();

    /// Recovers what is there. Errors: IoFailed, NoSpace.
    Task<Status> open();
    /// Writes what is pending, ends every wait, seals the newest segment and closes its files. What
    /// cannot be written ends as Unknown or Rejected.
    Task<void> stop();

    void configure_shard(ShardUid shard, const ShardPolicy& policy);
    void drop_unconfigured_shards(ShardUid below);
    Status open_writer(ShardUid shard, Ownership ownership);
    void submit(AppendOp& op, Ownership ownership) { writer_.submit(op, ownership); }
    /// A producer's batch was refused on its way here: those behind it must not overtake it.
    void turn_away(ShardUid shard, std::uint64_t producer_id, std::uint32_t first_sequence) {
        parts_.producers.turn_away(shard, producer_id, first_sequence);
    }

    Task<Result<ReadResult>> read(ShardUid shard, Ordinal from, ReadLimits limits);
    Task<Result<TailInfo>> tail(ShardUid shard);
    Task<Result<Ordinal>> seek_time(ShardUid shard, WallTime time);
    Task<Result<TailInfo>> wait_tail(ShardUid shard, Ordinal beyond, MonoTime deadline);
    Task<Result<ProducerPosition>> producer_position(ShardUid shard, std::uint64_t producer_id);
    void interrupt_waits();
    Task<std::vector<Result<TailInfo>>> seal_shards(std::vector<ShardUid> shards,
                                                    Ownership ownership);
    Task<Status> trim(ShardUid shard, Ordinal before);

    LogStats stats() const;
    LaneId id() const { return parts_.id; }
    Reactor& reactor() { return parts_.reactor; }

 private:
    void at_turn_end() override;
    void wake_waiters();
    Result<ShardState*> existing(ShardUid shard);
    struct WaitingOp;
    void begin_control(WaitingOp& op, ShardUid shard, Control what, std::uint64_t value);
    Task<Status> control(ShardUid shard, Control what, std::uint64_t value);
    Task<void> keep();  // retention and retries, once a tick
    Task<void> let_go_after_seal();
    Task<void> reopen();

    LaneParts parts_;
    CommitWriter writer_;
    LaneReader reader_;
    Retention retention_;
    Scrub scrub_;
    Signal progress_;  // the writer has done something
    bool is_open_ = false, is_reopening_ = false, is_stopping_ = false;
    std::uint64_t interrupts_ = 0;
    std::uint32_t readers_ = 0;  // reads under way; reopening waits for them
};

}  // namespace tidemill

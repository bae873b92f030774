#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/log/lane.h"
#include "engine/log/log_config.h"
#include "engine/log/log_stats.h"
#include "engine/log/log_store.h"
#include "engine/log/remote_appends.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

/// The log on this machine's disk: lanes spread over the reactors (shard -> lane: shard mod lanes;
/// lane -> core: lane mod cores). Format: docs/formats/segment.md. Core: as LogStore says. A writer
/// opened on its lane's own core is the fast path; from elsewhere each batch is copied once
///   more and goes by message, a turn's appends together.
class LocalLogStore final : public LogStore {
 public:
    /// Ownership: `reactors` outlive the store. The same number of cores is not needed from one
    /// start to the next.
    LocalLogStore(std::vector<Reactor*> reactors, LogConfig config);
    LocalLogStore(ReactorGroup& group, LogConfig config);
    /// After `stop`, or if `open` failed.
    ~LocalLogStore() override;

    /// Makes the data directory or recovers what is in it. Run it on any of the reactors, once.
    /// Errors: IoFailed, NoSpace, Corrupt (no superblock where there are lanes).
    Task<Status> open();
    /// Writes what is pending, seals, closes. Everything still waiting ends with Unavailable. Once,
    /// after open, on any of the reactors; no call may begin after it.
    Task<void> stop();

    std::uint32_t lane_count() const { return static_cast<std::uint32_t>(lanes_.size()); }
    std::uint64_t log_id() const { return log_id_; }
    LaneId lane_of(ShardUid shard) const { return LaneId{shard.value % lane_count()}; }
    /// The core whose writers to this shard need no message.
    CoreId core_of(ShardUid shard) const { return reactor_of(lane_of(shard)).id(); }
    /// One for each lane.
    Task<std::vector<LogStats>> stats();
    /// Of all lanes. Threads: any.
    const SpaceBudget& space() const { return *space_; }

    Task<Status> configure_shard(ShardUid shard, ShardPolicy policy) override;
    Task<Status> configure_shards(std::vector<std::pair<ShardUid, ShardPolicy>> shards) override;
    Task<Status> drop_unconfigured_shards(ShardUid below) override;
    Result<std::unique_ptr<ShardWriter>> open_writer(ShardUid shard, Ownership ownership) override;
    Task<Result<ReadResult>> read(ShardUid shard, Ordinal from, ReadLimits limits) override;
    Task<Result<TailInfo>> tail(ShardUid shard) override;
    Task<Result<Ordinal>> seek_time(ShardUid shard, WallTime time) override;
    Task<Result<TailInfo>> wait_tail(ShardUid shard, Ordinal beyond, MonoTime deadline) override;
    Task<Result<ProducerPosition>> producer_position(ShardUid shard,
                                                     std::uint64_t producer_id) override;
    Task<void> interrupt_waits() override;
    Task<Result<TailInfo>> seal(ShardUid shard, Ownership ownership) override;
    Task<std::vector<Result<TailInfo>>> seal_shards(std::vector<ShardUid> shards,
                                                    Ownership ownership) override;
    Task<Status> trim(ShardUid shard, Ordinal before) override;

 private:
    /// What every core knows of all shards, so that open_writer need not ask another.
    struct KnownShard {
        std::uint32_t epoch = 0;
        bool is_deleted = false;
    };
    struct Core {
        Reactor* reactor = nullptr;
        boost::unordered_flat_map<std::uint32_t, KnownShard> shards;
        std::vector<std::unique_ptr<RemoteAppends>> remote;  ///< by lane; null for this core's own
    };
    using Policies = std::vector<std::pair<ShardUid, ShardPolicy>>;

    Reactor& reactor_of(LaneId lane) const { return *cores_[lane.value % cores_.size()].reactor; }
    Core& here();
    Lane& lane_for(ShardUid shard) { return *lanes_[lane_of(shard).value]; }
    Task<Status> open_superblock();
    void fit_to_budget(std::uint32_t lanes);
    Task<Status> configure_core(Core* core, Policies policies);

    std::vector<Core> cores_;
    LogConfig config_;
    std::uint64_t log_id_ = 0;
    std::uint64_t seed_ = 0;
    std::unique_ptr<SpaceBudget> space_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    bool is_open_ = false;
};

}  // namespace tidemill

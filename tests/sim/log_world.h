#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/log/verify.h"
#include "tests/sim/log_process.h"

namespace tidemill::sim {

/// A log through several lives of its process on one simulated disk, all drawn from one seed.
///
/// In each life: appends from every core, readers that follow the shards, trims, seals, deletions,
/// changes of retention, new owners; with faults of the disk, full disks, a clock that leaps, and
/// an end by loss of power, kill, or stop, in the load, in a recovery, or while a segment rolls
/// over. What is promised is checked whenever something is read, and all of it after each start:
///
/// - what was acknowledged, or read, is there once, whole, in order, at its ordinal, with its
///   arrival time, until it is trimmed or older than its retention;
/// - of what was not acknowledged each batch is there whole or not at all; what was refused is not;
/// - what has been sealed or fenced takes nothing more; a deleted shard is not found;
/// - with durability `memory` all of that but for what was acknowledged after the last sync, of
///   which a crash leaves a first part of each shard; a kill leaves all that had been written;
/// - in good weather every append ends and every reader reaches the end;
/// - a flipped bit is reported, never served, and costs no more than the batch it is in.
class LogWorld {
 public:
    LogWorld(std::uint64_t seed, bool is_verbose);
    ~LogWorld();
    void run();

    struct Counts {
        std::uint64_t lives = 0, appends = 0, acknowledged = 0, unknown = 0, refused = 0;
        std::uint64_t followed = 0;  ///< batches read by followers
        std::uint64_t packed_batches = 0, rewritten = 0, stale = 0;
        std::uint64_t crashes = 0, recoveries_crashed = 0, segments = 0, reopened = 0;
        std::uint64_t trims = 0, seals = 0, deletions = 0, leaps = 0, let_go = 0;
        std::uint64_t flips = 0, flips_in_data = 0, reads_refused = 0;
        std::uint64_t in_memory = 0;    ///< lives of a log that is synced later
        std::uint64_t rolled_back = 0;  ///< shards that lost what had not been synced
        void add(const Counts& other);
        std::string to_text() const;
    };
    Counts counts;

 private:
    struct Follower {
        std::size_t shard = 0;
        Ordinal at = 0;
        bool is_over = false;
    };
    /// Where a flipped bit may cost data: by shard, [first, end).
    using Fence = std::map<std::uint32_t, std::pair<Ordinal, Ordinal>>;

    // one life (log_world.cpp)
    void live(bool is_last);
    std::unique_ptr<LogProcess> start();
    void plan_faults();
    void heal();
    void end(LogProcess& process, bool is_in_good_weather);
    void settle();
    void secure();
    void write_out(LogProcess& process);
    ShardModel& new_shard();
    WorldTime time(LogProcess& process);
    // what happens in it (log_load.cpp)
    void load(LogProcess& process);
    void step(LogProcess& process);
    void append(LogProcess& process, std::size_t core);
    void submit(LogProcess& process, std::size_t core, ShardModel& shard, ShardWriter& writer,
                std::uint32_t epoch);
    void meddle(LogProcess& process);
    void leap(LogProcess& process);
    void come_to_rest(LogProcess& process);
    void let_tick(LogProcess& process);
    bool is_memory() const { return config_.durability == LogDurability::Memory; }
    static Task<void> follow(LogWorld* world, LogProcess* process, Follower* follower);
    static Task<void> trim(LogWorld* world, LogProcess* process, ShardModel* shard, Ordinal before);
    static Task<void> seal(LogWorld* world, LogProcess* process, std::vector<ShardModel*> shards);
    static Task<void> configure(LogProcess* process, ShardModel* shard, ShardPolicy policy);
    // what must hold (log_checks.cpp)
    void take(LogProcess& process, ShardModel& shard, Ordinal& at, const ReadResult& result);
    Ordinal after_damage(LogProcess& process, ShardModel& shard, Ordinal at, const Error& error);
    void check_all(LogProcess& process);
    void check_shard(LogProcess& process, ShardModel& shard);
    void check_offline();
    LogReport look_offline(const VisitBatch& visit = nullptr);
    // commits that do not belong where they stand (log_stale.cpp)
    void plant_stale();
    // bits that flip at rest (log_decay.cpp)
    void decay();
    void decay_of_data();
    void decay_of_frame();

    Journal journal_;
    Random random_;
    std::shared_ptr<SimStorage> storage_;
    std::uint32_t cores_;
    LogConfig config_;
    SentLedger ledger_;
    std::size_t settled_ = 0;
    std::vector<ShardModel> shards_;
    std::vector<std::unique_ptr<Follower>> followers_;
    std::uint32_t life_ = 0;
    bool is_doubtful_ = false;  // durability `memory`: since the last check there was a crash
    bool is_tight_ = false;     // durability `memory`: the disk was full in this life
    std::uint64_t killed_ = 0;  // the crash that was a kill with nothing left to write
    Fence fence_;

    // time that has really passed, across lives
    std::int64_t now_ms_ = 1'704'067'200'000;
    MonoTime mono_seen_{};
    std::int64_t wall_at_start_ms_ = 0, real_at_start_ms_ = 0;
    std::int64_t slack_ms_ = 0;
};

}  // namespace tidemill::sim

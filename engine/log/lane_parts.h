#pragma once

#include "engine/log/log_clock.h"
#include "engine/log/log_config.h"
#include "engine/log/log_stats.h"
#include "engine/log/producer_table.h"
#include "engine/log/read_pacer.h"
#include "engine/log/segment_store.h"
#include "engine/log/shard_table.h"
#include "engine/log/tail_cache.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

/// What the writer, the reader and the keeper of a lane share. Core: the lane's.
struct LaneParts {
    LaneParts(Reactor& on, const LogConfig& settings, SpaceBudget& space, std::uint64_t id_of_log,
              LaneId lane, std::uint64_t seed)
        : reactor(on),
          config(settings),
          log_id(id_of_log),
          id(lane),
          pacer(on),
          producers(config),
          cache(settings.tail_cache_bytes, settings.block_bytes),
          segments(on.disk(), config, space, folder_of(settings, lane), id_of_log, lane, seed,
                   stats) {
        stats.lane = lane;
    }

    static std::string folder_of(const LogConfig& config, LaneId lane) {
        return fmt::format("{}/lane-{:04}", config.directory, lane.value);
    }
    void report(const std::string& text) const {
        if (config.report) config.report(fmt::format("lane {}: {}", id.value, text));
    }
    /// As of the last durable commit.
    SealedState sealed_state() { return {shards.ends(), producers.remembered()}; }
    /// The time by which the lane stamps and lets go; see LogClock.
    WallTime wall_now() {
        const std::size_t leaps = clock.leaps();
        const auto now = from_millis(clock.now_ms(reactor.clock().wall_now(), mono_now()));
        if (clock.leaps() != leaps)
            report("the system's clock leapt forward; what is there now is kept longer by as much");
        return now;
    }
    /// A record has expired when its arrival + retention + this is before wall_now.
    std::int64_t expiry_lag_ms(std::int64_t retention_ms) const {
        return clock.lag_ms(mono_now(), retention_ms);
    }
    bool has_expired(const ShardState& state, std::int64_t arrival_ms) {
        return state.has_expired(arrival_ms,
                                 to_millis(wall_now()) - expiry_lag_ms(state.retention_ms));
    }
    MonoTime mono_now() const { return reactor.clock().mono_now(); }

    Reactor& reactor;
    const LogConfig config;
    const std::uint64_t log_id;
    const LaneId id;
    LogStats stats;
    ReadPacer pacer;
    LogClock clock;
    ShardTable shards;
    ProducerTable producers;
    TailCache cache;
    SegmentStore segments;
    Gate gate;
};

}  // namespace tidemill

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/log/commit_format.h"
#include "engine/log/log_store.h"
#include "engine/log/ring.h"
#include "engine/log/segment_format.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// A batch in the tail cache.
struct TailRun {
    Ordinal first = 0;
    std::uint32_t block = 0;   ///< TailBlock::id
    std::uint32_t offset = 0;  ///< of the batch in the block
};

/// What a lane knows of one of its shards. Plain data; idle shards own no memory beyond it.
struct ShardState {
    Ordinal next = 0;                  ///< the next batch gets this ordinal
    Ordinal end = 0;                   ///< one past the last committed record
    Ordinal trim = 0;                  ///< the first record that may still be read
    Ordinal trim_in_log = 0;           ///< of it, what the log itself says; the rest has expired
    Ordinal durable_end = 0;           ///< == end, but for durability `memory`
    std::int64_t last_arrival_ms = 0;  ///< of the record before end
    std::int64_t durable_arrival_ms = 0;
    std::int64_t trim_arrival_ms = -1;  ///< of the record at trim; -1: not looked up
    std::int64_t retention_ms = 0;
    std::int64_t floor_arrival_ms = INT64_MIN;  ///< what arrived before it has once expired
    std::uint64_t max_bytes = 0;                ///< 0: no bound
    std::uint32_t epoch = 0;                    ///< greatest seen; smaller ones are fenced
    bool is_known = false;                      ///< the catalog has told us of it
    bool is_deleted = false;
    bool is_sealed = false;  ///< durably
    bool is_sealing = false;
    Ring<TailRun> runs;  ///< in order, committed and not
    std::unique_ptr<Signal>
        changed;  ///< for those who wait for its end to move; made for the first of them

    bool ever_held_anything() const { return end > 0 || is_sealed || trim > 0; }
    bool has_expired(std::int64_t arrival_ms, std::int64_t now_ms) const {
        return arrival_ms + retention_ms < now_ms || arrival_ms < floor_arrival_ms;
    }
    TailInfo tail() const {
        return {std::min(trim, end), end, is_sealed, from_millis(last_arrival_ms)};
    }
};

/// All shards of a lane.
class ShardTable {
 public:
    ShardState* find(ShardUid shard) {
        const auto it = states_.find(shard.value);
        return it == states_.end() ? nullptr : &it->second;
    }
    /// Valid until the next `get`.
    ShardState& get(std::uint32_t shard) { return states_[shard]; }
    std::size_t size() const { return states_.size(); }
    template <class Visit>
    void each(Visit visit) {
        for (auto& [shard, state] : states_)
            visit(shard, state);
    }

    /// Shards below `below` that the catalog has not told of are deleted ones.
    void drop_unconfigured(std::uint32_t below) { configured_below_ = below; }
    /// Its stream is deleted: nothing of it is owed to anybody.
    bool is_gone(std::uint32_t shard) const {
        const auto it = states_.find(shard);
        if (it == states_.end() || !it->second.is_known) return shard < configured_below_;
        return it->second.is_deleted;
    }

    /// Takes what an entry of a commit says that readers may now see; `epoch` is the batch's.
    /// Idempotent.
    void publish(const DirectoryEntry& entry, std::int64_t commit_arrival_ms, std::uint32_t epoch);
    /// Takes what an entry of a durable commit says. Idempotent.
    void learn(const DirectoryEntry& entry, std::int64_t commit_arrival_ms, std::uint32_t epoch);
    /// The same of an entry whose last record arrived at `last_arrival_ms`.
    void learn_scanned(const DirectoryEntry& entry, std::int64_t last_arrival_ms,
                       std::uint32_t epoch) {
        learn(entry, last_arrival_ms - std::int64_t{entry.arrival_delta}, epoch);
    }
    void learn(const ShardEndEntry& entry);
    /// Forgets everything that was learnt from the log, keeps what the catalog has told and who
    /// waits.
    void forget_log();
    /// The table of ends, sorted by shard.
    std::vector<ShardEndEntry> ends();

 private:
    boost::unordered_flat_map<std::uint32_t, ShardState> states_;
    std::uint32_t configured_below_ = 0;
};

}  // namespace tidemill

#pragma once

#include <unordered_map>
#include <vector>

#include "engine/base/ids.h"
#include "engine/usage/shard_meters.h"
#include "engine/usage/shard_rates.h"

namespace tidemill {

/// How busy the shards of the whole broker are, from what its cores collect. Idle shards take no
/// room. Core: one.
class UsageTable {
 public:
    /// What one core has collected in the time that the next `tick` ends.
    void add(std::vector<ShardMeters::Collected> collected);
    /// `passed` since the last tick.
    void tick(std::chrono::nanoseconds passed);

    /// Zeros for an idle shard.
    ShardRates rates(ShardUid shard) const;
    /// Of the last tick's batches, if they were sampled.
    std::vector<SampledKey> keys(ShardUid shard) const;
    bool is_idle(ShardUid shard) const { return !shards_.contains(shard); }
    std::size_t size() const { return shards_.size(); }

 private:
    struct Entry {
        ShardUsage used;  // since the last tick
        ShardRates rates;
        std::vector<SampledKey> new_keys, keys;
    };
    std::unordered_map<ShardUid, Entry> shards_;
};

}  // namespace tidemill

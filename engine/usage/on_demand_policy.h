#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/catalog/reshard.h"
#include "engine/usage/key_sample.h"
#include "engine/usage/shard_rates.h"

namespace tidemill {

/// When a stream in ON_DEMAND mode changes its shards: docs/limits.md. Units: a second.
struct OnDemandOptions {
    bool is_on = true;
    // One shard's load is the greatest of these fractions; at 1 it is hot.
    double bytes_in = 8_MiB;
    double records_in = 20'000;
    double bytes_out = 32_MiB;
    std::chrono::milliseconds split_after{2'000};   ///< hot for so long
    std::chrono::milliseconds merge_after{20'000};  ///< cold for so long
    std::uint32_t shards_min = 4;
    std::uint32_t shards_max = 256;
};
/// Half of what AWS lets a shard take, so that the stream takes twice its load at any time.
OnDemandOptions aws_on_demand(OnDemandOptions base);

/// An open shard as the policy sees it.
struct ShardLoad {
    std::uint32_t index = 0;
    HashRange range;
    ShardRates rates;
    std::vector<SampledKey> keys;
};

struct OnDemandDecision {
    std::vector<ShardChange> changes;
    std::vector<std::uint32_t> splits;   ///< indexes, for the log
    std::vector<std::uint32_t> one_key;  ///< hot by a single key: cannot be helped; told once
};

/// Decides for one stream. Pure: time and loads are given.
class OnDemandPolicy {
 public:
    /// Of rates, relative to what makes a shard hot.
    static double load_of(const ShardRates& rates, const OnDemandOptions& options);
    /// From this load on a shard's keys should be sampled.
    static constexpr double kSampleFrom = 0.5;
    /// Two neighbours whose loads together stay below this are cold. A shard that comes from a
    /// merge can then become four times as busy before it is split again.
    static constexpr double kColdBelow = 0.25;
    /// A split that leaves more of the load than this in one child is of no use.
    static constexpr double kUseful = 0.9;

    /// `shards`: the open ones by their ranges. Never fewer than `floor` are left.
    OnDemandDecision decide(const std::vector<ShardLoad>& shards, std::uint32_t floor,
                            const OnDemandOptions& options, MonoTime now);
    /// True while it waits for nothing: an idle stream need not be looked at until it is used.
    bool is_settled(std::size_t open, std::uint32_t floor) const {
        return open <= floor && hot_since_.empty();
    }

 private:
    void split_hot(const std::vector<ShardLoad>& shards, const OnDemandOptions& options,
                   MonoTime now, OnDemandDecision& decision);
    void merge_cold(const std::vector<ShardLoad>& shards, std::uint32_t floor,
                    const OnDemandOptions& options, MonoTime now, OnDemandDecision& decision);

    using Pair = std::pair<std::uint32_t, std::uint32_t>;
    std::map<std::uint32_t, MonoTime> hot_since_;  // by shard
    std::map<Pair, MonoTime> cold_since_;          // by neighbours
    std::vector<std::uint32_t> told_;              // shards with one hot key
};

}  // namespace tidemill

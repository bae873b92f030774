#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "producer/admin_client.h"

namespace tidemill::client {

/// A lease with its checkpoint as the broker keeps it.
struct Lease {
    std::uint32_t shard_index = 0;
    std::uint64_t ordinal = 0;
    bool is_finished = false;
    std::string owner;
    std::uint64_t counter = 0;
    WallTime until{};

    bool is_held_at(WallTime now) const { return !owner.empty() && until > now; }
};

/// What a worker should do about leases now.
struct LeasePlan {
    std::vector<std::uint32_t> keep;       ///< held; renew
    std::vector<std::uint32_t> take;       ///< free, and ours to take
    std::vector<std::uint32_t> give_back;  ///< held above the fair share
};

/// A worker without a shard must be seen too, or nobody would give it one: each keeps a lease under
/// a number that no shard has.
std::uint32_t presence_index(std::string_view worker);
bool is_presence(std::uint32_t shard_index);

/// True when every parent that still exists is finished: then the shard may be read.
bool is_ready(const ShardDescription& shard, const std::vector<ShardDescription>& shards,
              const std::vector<Lease>& leases);

/// Shares shards that are ready and not finished evenly among the workers that hold an unexpired
/// lease or are present: each takes up to ceil(shards / workers), and gives back what it has above
/// that.
LeasePlan plan_leases(const std::vector<ShardDescription>& shards, const std::vector<Lease>& leases,
                      std::string_view worker, WallTime now);

}  // namespace tidemill::client

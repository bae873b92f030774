#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
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

/// Which shards may be read, by what has become of their parents. Ownership: `leases` outlive it.
class Lineage {
 public:
    Lineage(const std::vector<ShardDescription>& shards, const std::vector<Lease>& leases);
    const Lease* lease_of(std::uint32_t shard_index) const;  ///< nullptr when there is none
    /// True when every parent that still exists is finished.
    bool is_ready(const ShardDescription& shard) const;

 private:
    std::unordered_set<std::uint32_t> shards_;
    std::unordered_map<std::uint32_t, const Lease*> leases_;
};

/// The checkpoint of a shard that an application which begins at the tip has passed over.
constexpr std::uint64_t kSkipped = UINT64_MAX;
/// The closed shards that an application which begins at the tip passes over without a lease: all
/// of them when it is new; later those without a lease one of whose descendants has one, for a
/// child is begun behind its parents or instead of them.
std::vector<Lease> passed_over(const std::vector<ShardDescription>& shards,
                               const std::vector<Lease>& leases);

/// Shares shards that are ready and not finished evenly among the workers that hold an unexpired
/// lease or are present: each takes up to ceil(shards / workers), and gives back what it has above
/// that.
LeasePlan plan_leases(const std::vector<ShardDescription>& shards, const std::vector<Lease>& leases,
                      std::string_view worker, WallTime now);

}  // namespace tidemill::client

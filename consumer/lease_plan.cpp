#include "consumer/lease_plan.h"

#include <algorithm>
#include <set>

#include "engine/base/crc32c.h"

namespace tidemill::client {
namespace {

constexpr std::uint32_t kPresence = 0x80000000;

const Lease* lease_of(const std::vector<Lease>& leases, std::uint32_t index) {
    const auto found = std::ranges::find(leases, index, &Lease::shard_index);
    return found == leases.end() ? nullptr : &*found;
}

}  // namespace

std::uint32_t presence_index(std::string_view worker) {
    return kPresence | crc32c(as_bytes(worker));
}

bool is_presence(std::uint32_t shard_index) { return (shard_index & kPresence) != 0; }

bool is_ready(const ShardDescription& shard, const std::vector<ShardDescription>& shards,
              const std::vector<Lease>& leases) {
    for (const auto& parent : {shard.parent, shard.adjacent_parent}) {
        if (!parent) continue;
        // A parent that has expired from the stream has nothing left to read.
        if (std::ranges::find(shards, *parent, &ShardDescription::index) == shards.end()) continue;
        const Lease* lease = lease_of(leases, *parent);
        if (lease == nullptr || !lease->is_finished) return false;
    }
    return true;
}

LeasePlan plan_leases(const std::vector<ShardDescription>& shards, const std::vector<Lease>& leases,
                      std::string_view worker, WallTime now) {
    std::set<std::string, std::less<>> workers{std::string(worker)};
    for (const auto& lease : leases)
        if (lease.is_held_at(now) && !lease.is_finished) workers.insert(lease.owner);

    LeasePlan plan;
    std::vector<std::uint32_t> free;
    std::size_t active = 0;
    for (const auto& shard : shards) {
        const Lease* lease = lease_of(leases, shard.index);
        if (lease != nullptr && lease->is_finished) continue;
        if (!is_ready(shard, shards, leases)) continue;
        ++active;
        if (lease != nullptr && lease->owner == worker)
            plan.keep.push_back(shard.index);
        else if (lease == nullptr || !lease->is_held_at(now))
            free.push_back(shard.index);
    }
    const std::size_t share = (active + workers.size() - 1) / workers.size();
    while (plan.keep.size() > share) {
        plan.give_back.push_back(plan.keep.back());
        plan.keep.pop_back();
    }
    for (const std::uint32_t index : free)
        if (plan.keep.size() + plan.take.size() < share) plan.take.push_back(index);
    return plan;
}

}  // namespace tidemill::client

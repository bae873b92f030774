#include "consumer/lease_plan.h"

#include <algorithm>
#include <set>

#include "engine/base/crc32c.h"

namespace tidemill::client {
namespace {

constexpr std::uint32_t kPresence = 0x80000000;

}  // namespace

std::uint32_t presence_index(std::string_view worker) {
    return kPresence | crc32c(as_bytes(worker));
}

bool is_presence(std::uint32_t shard_index) { return (shard_index & kPresence) != 0; }

Lineage::Lineage(const std::vector<ShardDescription>& shards, const std::vector<Lease>& leases) {
    for (const auto& shard : shards)
        shards_.insert(shard.index);
    for (const auto& lease : leases)
        leases_.emplace(lease.shard_index, &lease);
}

const Lease* Lineage::lease_of(std::uint32_t shard_index) const {
    const auto found = leases_.find(shard_index);
    return found == leases_.end() ? nullptr : found->second;
}

bool Lineage::is_ready(const ShardDescription& shard) const {
    for (const auto& parent : {shard.parent, shard.adjacent_parent}) {
        // A parent that has expired from the stream has nothing left to read.
        if (!parent || !shards_.contains(*parent)) continue;
        const Lease* lease = lease_of(*parent);
        if (lease == nullptr || !lease->is_finished) return false;
    }
    return true;
}

std::vector<Lease> passed_over(const std::vector<ShardDescription>& shards,
                               const std::vector<Lease>& leases) {
    std::unordered_set<std::uint32_t> begun;  // or passed over, or a parent of such
    for (const auto& lease : leases)
        if (!is_presence(lease.shard_index)) begun.insert(lease.shard_index);
    const bool is_new = begun.empty();
    const std::unordered_set<std::uint32_t> leased = begun;
    std::vector<Lease> passed;
    // Children have greater indexes than their parents.
    for (auto shard = shards.rbegin(); shard != shards.rend(); ++shard) {
        const bool is_done = begun.contains(shard->index) || (is_new && !shard->is_open());
        if (!is_done) continue;
        for (const auto& parent : {shard->parent, shard->adjacent_parent})
            if (parent) begun.insert(*parent);
        if (leased.contains(shard->index) || shard->is_open()) continue;
        Lease& lease = passed.emplace_back();
        lease.shard_index = shard->index;
        lease.ordinal = kSkipped;
        lease.is_finished = true;
    }
    return passed;
}

LeasePlan plan_leases(const std::vector<ShardDescription>& shards, const std::vector<Lease>& leases,
                      std::string_view worker, WallTime now) {
    std::set<std::string, std::less<>> workers{std::string(worker)};
    for (const auto& lease : leases)
        if (lease.is_held_at(now) && !lease.is_finished) workers.insert(lease.owner);

    const Lineage lineage(shards, leases);
    LeasePlan plan;
    std::vector<std::uint32_t> free;
    std::size_t active = 0;
    for (const auto& shard : shards) {
        const Lease* lease = lineage.lease_of(shard.index);
        if (lease != nullptr && lease->is_finished) continue;
        if (!lineage.is_ready(shard)) continue;
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

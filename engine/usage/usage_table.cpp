#include "engine/usage/usage_table.h"

#include <utility>

namespace tidemill {

void UsageTable::add(std::vector<ShardMeters::Collected> collected) {
    for (auto& one : collected) {
        Entry& entry = shards_[one.shard];
        entry.used += one.used;
        entry.new_keys.insert(entry.new_keys.end(), one.keys.begin(), one.keys.end());
    }
}

void UsageTable::tick(std::chrono::nanoseconds passed) {
    for (auto at = shards_.begin(); at != shards_.end();) {
        Entry& entry = at->second;
        entry.rates.add(std::exchange(entry.used, {}), passed);
        if (!entry.new_keys.empty()) entry.keys = std::exchange(entry.new_keys, {});
        at = entry.rates.is_idle() ? shards_.erase(at) : std::next(at);
    }
}

ShardRates UsageTable::rates(ShardUid shard) const {
    const auto found = shards_.find(shard);
    return found == shards_.end() ? ShardRates{} : found->second.rates;
}

std::vector<SampledKey> UsageTable::keys(ShardUid shard) const {
    const auto found = shards_.find(shard);
    return found == shards_.end() ? std::vector<SampledKey>{} : found->second.keys;
}

}  // namespace tidemill

#include "engine/usage/shard_buckets.h"

#include <algorithm>

namespace tidemill {

ShardBuckets::Buckets& ShardBuckets::of(ShardUid shard, MonoTime now) {
    if (const auto found = shards_.find(shard); found != shards_.end()) return found->second;
    if (shards_.size() >= look_at_size_) forget_idle(now);
    return shards_.emplace(shard, Buckets(now)).first->second;
}

void ShardBuckets::forget_idle(MonoTime now) {
    std::erase_if(shards_, [now](const auto& entry) {
        const Buckets& b = entry.second;
        return b.write_records.is_full(now) && b.write_bytes.is_full(now) &&
               b.read_calls.is_full(now) && b.read_bytes.is_full(now) &&
               b.iterator_calls.is_full(now);
    });
    look_at_size_ = std::max<std::size_t>(1024, 2 * shards_.size());
}

bool ShardBuckets::take_write(ShardUid shard, WriteCost cost, MonoTime now) {
    Buckets& buckets = of(shard, now);
    if (!buckets.write_records.would_take(cost.records, now) ||
        !buckets.write_bytes.would_take(static_cast<double>(cost.bytes), now)) {
        stats.write_records += cost.records;
        return false;
    }
    buckets.write_records.try_take(cost.records, now);
    buckets.write_bytes.try_take(static_cast<double>(cost.bytes), now);
    return true;
}

bool ShardBuckets::take_read_call(ShardUid shard, MonoTime now) {
    Buckets& buckets = of(shard, now);
    const bool may = buckets.read_bytes.is_clear(now) && buckets.read_calls.try_take(1, now);
    if (!may) ++stats.read_calls;
    return may;
}

void ShardBuckets::charge_read(ShardUid shard, std::uint64_t bytes, MonoTime now) {
    of(shard, now).read_bytes.charge(static_cast<double>(bytes), now);
}

bool ShardBuckets::take_iterator_call(ShardUid shard, MonoTime now) {
    const bool may = of(shard, now).iterator_calls.try_take(1, now);
    if (!may) ++stats.iterator_calls;
    return may;
}

}  // namespace tidemill

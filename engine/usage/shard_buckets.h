#pragma once

#include <cstdint>
#include <unordered_map>

#include "engine/base/ids.h"
#include "engine/usage/aws_rates.h"

namespace tidemill {

/// What a write costs a shard.
struct WriteCost {
    std::uint32_t records = 0;
    std::uint64_t bytes = 0;  ///< of data and partition keys
};

/// What one core has refused since it started.
struct ThrottleStats {
    std::uint64_t write_records = 0;   ///< records
    std::uint64_t read_calls = 0;      ///< GetRecords, and fetches of the native door
    std::uint64_t iterator_calls = 0;  ///< GetShardIterator
    std::uint64_t operations = 0;      ///< control operations; the first core's
};

/// The buckets of the shards that belong to one core, made when they are first asked for and let go
/// when they are full again. Core: one.
class ShardBuckets {
 public:
    /// All of it or nothing.
    bool take_write(ShardUid shard, WriteCost cost, MonoTime now);
    /// One more GetRecords: not while what earlier ones have read is still owed.
    bool take_read_call(ShardUid shard, MonoTime now);
    void charge_read(ShardUid shard, std::uint64_t bytes, MonoTime now);
    bool take_iterator_call(ShardUid shard, MonoTime now);

    std::size_t size() const { return shards_.size(); }
    ThrottleStats stats;

 private:
    struct Buckets {
        explicit Buckets(MonoTime now)
            : write_records(aws_rates::kWriteRecords, now),
              write_bytes(aws_rates::kWriteBytes, now),
              read_calls(aws_rates::kReadCalls, now),
              read_bytes(aws_rates::kReadBytes, now),
              iterator_calls(aws_rates::kIteratorCalls, now) {}
        TokenBucket write_records, write_bytes, read_calls, read_bytes, iterator_calls;
    };
    Buckets& of(ShardUid shard, MonoTime now);
    void forget_idle(MonoTime now);

    std::unordered_map<ShardUid, Buckets> shards_;
    std::size_t look_at_size_ = 1024;  // of `shards_`: then idle ones are looked for
};

}  // namespace tidemill

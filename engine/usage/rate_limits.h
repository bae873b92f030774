#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/stream.h"
#include "engine/io/task.h"
#include "engine/reactor/reactor.h"
#include "engine/usage/control_rates.h"
#include "engine/usage/shard_buckets.h"

namespace tidemill {

enum class LimitsMode : std::uint8_t {
    None,  ///< as fast as the machine goes
    Aws,   ///< as fast as AWS allows: aws_rates.h
};

/// "none" or "aws"; nothing for anything else.
std::optional<LimitsMode> parse_limits_mode(std::string_view text);
std::string_view limits_mode_text(LimitsMode mode);

/// Records for one shard within one put, and which of them may go in.
struct ShardWrites {
    ShardUid shard;
    std::vector<std::uint32_t> record_bytes;  ///< data and key of each, in order
    std::vector<bool> is_admitted;            ///< filled by `admit_writes`
};

/// The rates of all shards and operations. There is one while limits.mode is "aws" and none
/// otherwise. A shard's buckets belong to one core, an operation's to the first: others ask there.
/// Core: any of the reactors given. Errors of admit_...: Throttled for a shard's rate,
/// LimitExceeded for an operation's.
class RateLimits {
 public:
    /// Ownership: the reactors outlive it.
    explicit RateLimits(std::vector<Reactor*> reactors);

    /// Whether a whole batch may go in. Core: the shard's, see `is_here`; no suspension.
    bool take_write(ShardUid shard, WriteCost cost);
    /// True when the shard's buckets belong to this core.
    bool is_here(ShardUid shard) const;
    /// Record by record, in order: one that does not fit does not stop the next.
    Task<std::vector<ShardWrites>> admit_writes(std::vector<ShardWrites> writes);
    /// Batches of one shard that waited for this, in order.
    Task<std::vector<bool>> admit_batches(ShardUid shard, std::vector<WriteCost> batches);

    /// A read by polling; what it gives is charged afterwards.
    Task<Status> admit_read(ShardUid shard);
    Task<void> charge_read(ShardUid shard, std::uint64_t bytes);
    Task<Status> admit_iterator(ShardUid shard);

    /// A call of a control operation: `scope` is the stream's name, or for SubscribeToShard what
    /// tells consumer and shard apart.
    Task<Status> admit_operation(std::string operation, std::string account, std::string scope);
    /// A fresh bucket that paces one subscription: it may send while `is_clear`, and charges what
    /// it has sent. Core: whose clock is asked.
    TokenBucket subscription_pace() const;

    /// Changes in 24 hours. Core: the first.
    ControlRates& control() { return control_; }

    /// Of this core.
    const ThrottleStats& stats() const;

 private:
    struct alignas(64) Core {
        ShardBuckets shards;
    };
    Reactor& core_of(ShardUid shard) const { return *reactors_[shard.value % reactors_.size()]; }
    Core& here();

    std::vector<Reactor*> reactors_;
    std::vector<Core> cores_;
    ControlRates control_;  // first core only
};

/// How many open shards all streams have, and may have.
struct ShardQuota {
    std::uint64_t open = 0, limit = 0;
};
/// The quota when `more` open shards would exceed it.
std::optional<ShardQuota> exceeded_shard_quota(const CatalogView& view, std::uint64_t more);

}  // namespace tidemill

#pragma once

#include <deque>
#include <vector>

#include "engine/log/log_store.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/turn_hook.h"
#include "engine/usage/rate_limits.h"

namespace tidemill {

/// Bytes of a plain batch's records, opened.
std::uint64_t records_bytes_of(const RecordBatchView& batch);

/// A shard's writer for doors that bring whole batches: one that exceeds the shard's rate ends
/// Rejected with Throttled, the others pass in their order. Where the shard is counted on another
/// core a batch is copied and waits for that core's word. Core: one. Ownership: all that it is
/// given outlives it; `gate` is closed before it goes.
class LimitedWriter final : public ShardWriter, TurnHook {
 public:
    LimitedWriter(ShardWriter& next, RateLimits& limits, Gate& gate)
        : next_(next), limits_(limits), gate_(gate) {}

    ShardUid shard() const override { return next_.shard(); }
    void submit(AppendOp& op) override;

 private:
    struct Waiting {
        AppendOp* op;
        std::vector<std::byte> batch;
        WriteCost cost;
    };
    void at_turn_end() override;
    Task<void> drain();
    static void refuse(AppendOp& op);

    ShardWriter& next_;
    RateLimits& limits_;
    Gate& gate_;
    std::vector<AppendOp*> refused_;
    std::deque<Waiting> waiting_;
    bool is_draining_ = false;
};

}  // namespace tidemill

#pragma once

#include <cstddef>
#include <vector>

#include "engine/reactor/signal.h"
#include "proto/batch_codec.h"

namespace tidemill::query {

/// Openers of compressed batches, shared by the shards of a feed. A shard may suspend with a batch
/// open; so many at once, and no more memory, however many shards there are. Core: one.
class OpenerPool {
 public:
    static constexpr std::size_t kOpenMax = 4;

    /// Waits once while kOpenMax are out: for one, for `wake`, or until `deadline`. False, with
    /// nothing taken, when there is still none.
    Task<bool> take(BatchOpener& into, MonoTime deadline) {
        if (out_ == kOpenMax) co_await returned_.wait_until(deadline);
        if (out_ == kOpenMax) co_return false;
        ++out_;
        if (idle_.empty()) co_return true;
        into = std::move(idle_.back());
        idle_.pop_back();
        co_return true;
    }
    void give_back(BatchOpener opener) {
        --out_;
        idle_.push_back(std::move(opener));
        returned_.notify_all();
    }
    void wake() { returned_.notify_all(); }

 private:
    std::vector<BatchOpener> idle_;
    std::size_t out_ = 0;
    Signal returned_;
};

}  // namespace tidemill::query

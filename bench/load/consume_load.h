#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "bench/load/bench.h"
#include "bench/load/load_target.h"
#include "bench/load/socket_wait.h"
#include "producer/frame_channel.h"
#include "proto/batch_codec.h"

namespace tidemill::bench {

/// Subscribes to shards over several connections, checks every batch, counts.
class ConsumeLoad {
 public:
    ConsumeLoad(const BenchOptions& options, const LoadTarget& target)
        : options_(options), target_(target) {}

    /// Subscribes to every shard from `from`; sockets take the indexes from `first_index` on.
    Status open(SocketWait& sockets, std::uint32_t first_index,
                const std::vector<std::uint64_t>& from);
    /// Gives all subscriptions up and begins again at `from`.
    Status restart(const std::vector<std::uint64_t>& from);
    Status receive(std::uint32_t connection);

    std::uint64_t records() const { return records_; }
    std::uint64_t data_bytes() const { return data_bytes_; }
    /// Past the last record read of each of the target's shards.
    std::vector<std::uint64_t> positions() const;
    /// Records carry their intended send time; delivery minus that. Only when asked for: it walks
    /// every record.
    void measure_latency() { measures_latency_ = true; }
    /// Without measure_latency: how long a connection waited for its next delivery, one value each.
    const Histogram& latency_ns() const { return latency_; }

 private:
    struct Subscription {
        std::uint32_t shard_position = 0;
        std::uint64_t unreturned = 0;  // credit used and not yet given back
        std::uint64_t from = 0;
    };
    struct Peer {
        client::FrameChannel channel;
        std::unordered_map<std::uint32_t, Subscription> subscriptions;
        MonoTime last_delivery{};
    };

    Status subscribe(std::size_t shard_position, std::uint64_t from);
    Status take(Peer& peer, Subscription& subscription, const wire::FrameView& frame);
    Status check_batch(const RecordBatchView& batch, Subscription& subscription);

    const BenchOptions& options_;
    const LoadTarget& target_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::uint32_t first_index_ = 0;
    std::uint64_t records_ = 0, data_bytes_ = 0;
    bool measures_latency_ = false;
    Histogram latency_;
    BatchOpener opener_;
};

}  // namespace tidemill::bench

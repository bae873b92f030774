#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "bench/load/bench.h"
#include "bench/load/load_connection.h"
#include "bench/load/load_target.h"
#include "bench/load/socket_wait.h"
#include "bench/load/stamped_batch.h"

namespace tidemill::bench {

/// Keeps windows of batches in flight on several connections, or sends at a rate.
class ProduceLoad {
 public:
    /// `stamps`: every record carries its batch's intended send time (for run_latency).
    ProduceLoad(const BenchOptions& options, const LoadTarget& target, bool stamps);

    /// Sockets take the indexes [first, first + connections).
    Status open(SocketWait& sockets, std::uint32_t first_index);
    void start(MonoTime now) { start_ = last_progress_ = now; }
    /// Sends what is due and fits; returns when to be called again at the latest.
    Result<MonoTime> send(SocketWait& sockets, MonoTime now);
    /// Reads acknowledgements of one connection. Errors: a refusal ends the run, unless the broker
    /// only asks to slow down: that batch is sent again.
    Status receive(std::uint32_t connection);

    bool is_all_sent(MonoTime now) const;
    bool is_idle() const { return in_flight_ == 0; }
    std::uint64_t acknowledged() const { return acknowledged_; }
    /// Batches that the broker put off and that were sent again.
    std::uint64_t throttled() const { return throttled_; }
    const Histogram& latency_ns() const { return latency_; }
    /// Acknowledged records of each of the target's shards.
    const std::vector<std::uint64_t>& shard_records() const { return shard_records_; }

 private:
    struct Slot {
        MonoTime since;  // send, or intended send
        std::size_t shard_position = 0;
        Bytes batch;
        StampedBatch stamped;  // when records carry their time
        std::vector<std::byte> compressed;
    };
    struct Peer {
        LoadConnection connection;
        std::vector<Slot> slots;
        std::vector<std::uint32_t> free_slots;
        std::deque<std::uint32_t> throttled_slots;  // to be sent again, oldest first
        MonoTime again_at{};
        // Unanswered batches, and how many there may be: halved when the broker asks to slow down,
        // one more for every acknowledgement.
        std::size_t unanswered = 0, allowed = 0;
        std::size_t next_shard = 0;
    };

    void send_one(Peer& peer, MonoTime since);
    /// Sends throttled batches once more when their time has come, as many as may be under way.
    void send_again(Peer& peer, MonoTime now);
    void slow_down(Peer& peer, std::uint32_t slot, MonoTime now);
    bool may_send(const Peer& peer) const {
        return !peer.free_slots.empty() && peer.throttled_slots.empty() &&
               peer.unanswered < peer.allowed;
    }
    MonoTime due(std::uint64_t batch) const;

    const BenchOptions& options_;
    const LoadTarget& target_;
    const bool stamps_;
    BatchCompressor compressor_;
    std::vector<std::vector<std::byte>> batches_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::uint32_t first_index_ = 0;
    std::uint64_t sent_batches_ = 0, acknowledged_ = 0, throttled_ = 0;
    std::size_t in_flight_ = 0;
    MonoTime start_{}, last_progress_{};
    Histogram latency_;
    std::vector<std::uint64_t> shard_records_;
};

}  // namespace tidemill::bench

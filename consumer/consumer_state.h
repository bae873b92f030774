#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "consumer/consumer.h"
#include "consumer/lease_client.h"
#include "producer/frame_channel.h"
#include "proto/batch_codec.h"

namespace tidemill::client {

/// Batches that have come and wait until what was opened before them is taken.
struct UnopenedFrame {
    std::vector<std::byte> batches;
    std::size_t begin = 0;  // of what is left
    std::uint64_t tail_ordinal = 0;
    bool is_end = false;
};

/// A shard this consumer reads.
struct HeldShard {
    ShardDescription shard;
    Lease lease;                     // with an application
    bool is_lease_in_doubt = false;  // a renewal was sent, and no answer says what became of it
    std::uint64_t from = 0;          // the next record to open, or to ask for
    std::uint32_t subscription = 0;  // request id on the present connection; 0: none
    std::uint64_t credit_to_return = 0;
    std::deque<UnopenedFrame> unopened;
    std::size_t opened_bytes = 0;  // of records in `queue`
    bool has_ended = false;        // the End frame has come, or the shard is damaged
};

/// The consumer's thread and what callers share with it.
/// Locks: `control_mutex` around `control` and whatever changes a lease's counter (so that a
/// checkpoint never meets a renewal half way); `mutex` around the rest; control_mutex is taken
/// first.
struct Consumer::State {
    State(ConsumerOptions wanted, Endpoint where);
    ~State();

    void run();
    /// Looks at shards and leases: renews, takes, gives back. Errors: of the connection; NotFound
    /// when the stream is gone.
    Status sync();
    Status sync_leases(const StreamDescription& stream);
    Status sync_alone(const StreamDescription& stream);
    Result<Lease> acquire(std::uint32_t shard_index);
    void hold(const ShardDescription& shard, Lease lease, std::uint64_t from);
    void let_go(std::uint32_t shard_index, bool is_lost);
    Result<std::uint64_t> start_of(const ShardDescription& shard);
    Result<std::uint64_t> start_of(const ShardDescription& shard, const StreamDescription& stream,
                                   const std::vector<Lease>& leases);
    Completion save(std::uint32_t shard_index, std::uint64_t next_ordinal, bool is_finished);
    void release_all();

    // reader.cpp
    Status exchange();
    Status subscribe_new();
    void take_frame(const wire::FrameView& frame);
    Status take_batches(HeldShard& shard, const wire::FrameView& frame);
    Status open_waiting(HeldShard& shard);
    Result<Bytes> open_batches(HeldShard& shard, Bytes batches, std::uint64_t tail_ordinal);
    struct Queued {
        Delivery delivery;
        std::size_t bytes = 0;  // as they were sent: what the credit counts
        std::uint32_t subscription = 0;
        std::size_t opened_bytes = 0;
    };
    Status open_batch(HeldShard& shard, const RecordBatchView& batch, Queued& queued);
    void pass_over(HeldShard& shard, const RecordBatchView& batch, const Error& error,
                   std::uint64_t tail_ordinal);
    void end_shard(HeldShard& shard);
    void stop_shard(HeldShard& shard, const Error& error);
    bool has_room(const HeldShard& shard) const {
        return shard.opened_bytes < options.credit_bytes;
    }
    void push(Queued queued);
    void fail_with(const Error& error);
    void lose_connection();
    void wait(MonoTime until);
    void wake();

    const ConsumerOptions options;
    const Endpoint endpoint;
    const std::string worker;

    std::mutex control_mutex;
    LeaseClient control;
    std::uint32_t stream_uid = 0;

    mutable std::mutex mutex;
    std::condition_variable delivered;
    std::map<std::uint32_t, HeldShard> held;  // by shard index
    std::map<std::uint32_t, bool> finished;   // shards done; with an application: by this worker
    std::deque<Queued> queue;
    std::vector<std::uint32_t> unwanted;  // subscriptions of shards let go
    std::deque<Failure> failures;
    ConsumerMetrics metrics;
    bool is_closing = false;
    std::atomic<bool> must_sync{true};
    bool is_first_look = true;     // without an application: no shard has been held
    bool awaits_children = false;  // the stream's shards are being changed

    FrameChannel channel;  // the thread's own
    BatchOpener opener;    // the thread's own
    MonoTime connect_at{};
    int wake_fd = -1;
    std::thread thread;
};

}  // namespace tidemill::client

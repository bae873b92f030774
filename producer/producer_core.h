#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "producer/shard_queue.h"

namespace tidemill::client {

/// What the producer's thread has to send. `batch` is the core's and stays as it is until its
/// answer.
struct ProducerRequest {
    std::uint32_t id = 0;
    enum class Kind : std::uint8_t { Describe, Position, Produce };
    Kind kind = Kind::Produce;
    std::string stream;  ///< to describe
    std::uint32_t shard = 0;
    std::uint64_t producer_id = 0;  ///< whose position is asked
    Bytes batch;                    ///< to store
    PendingBatch* fresh = nullptr;  ///< of `batch`, when it has yet to be compressed

    /// Needs no lock: while its request is under way nobody else touches the batch.
    void compress(BatchCompressor& compressor) {
        if (fresh == nullptr) return;
        fresh->compress(compressor);
        batch = fresh->finished.bytes();
    }
};

/// A result that has to be handed out once no lock is held.
struct FinishedPut {
    PutWaiter waiter;
    PutResult result;
    void hand_out();
};

/// All that the producer decides: routing, batching, retry, expiry, flush. No clock, no socket, no
/// thread, so that tests bring all three. The caller holds a lock around every call.
class ProducerCore {
 public:
    /// `random_id`: for options without a producer id.
    ProducerCore(ProducerOptions options, std::uint64_t random_id);

    /// Errors: InvalidArgument, TooLarge (nothing taken). Returns true when the sender should look
    /// at once.
    Result<bool> put(std::string_view stream, std::string_view partition_key, Bytes data,
                     std::string_view explicit_hash_key, PutWaiter& waiter, MonoTime now);
    static PutResult failed(const Error& error);
    static std::size_t memory_of(std::string_view partition_key, Bytes data);
    bool has_room(std::size_t memory_bytes) const;

    // the sender's side
    /// What should be sent now; only while connected.
    std::vector<ProducerRequest> take_requests(MonoTime now);
    /// Fails the records whose time is up.
    void expire(MonoTime now);
    MonoTime next_due() const;
    bool has_work() const { return !outstanding_.empty(); }
    void acknowledged(std::uint32_t id, std::uint64_t first_ordinal, std::int64_t arrival_ms,
                      bool is_duplicate = false);
    /// The broker expects `next_sequence` of the producer in the shard that was asked about.
    void position_is(std::uint32_t id, std::uint32_t next_sequence);
    void described(std::uint32_t id, const StreamDescription& stream, MonoTime now);
    void refused(std::uint32_t id, const Error& error, MonoTime now);
    /// What was under way may or may not have been stored; it goes again. `error` is what records
    /// say when their time ends.
    void disconnected(const Error& error, MonoTime now);
    bool has_finished() const { return !finished_.empty(); }
    std::vector<FinishedPut> take_finished() { return std::exchange(finished_, {}); }

    // flush
    std::uint64_t begin_flush();
    bool is_flushed(std::uint64_t epoch) const;

    ProducerMetrics metrics() const;

 private:
    struct Unrouted {
        std::string partition_key;
        std::vector<std::byte> data;
        PendingRecord record;
    };
    struct Stream {
        std::string name;
        ShardMap map;
        std::map<ShardUid, std::unique_ptr<ShardQueue>> queues;  // also of shards closed since
        std::deque<Unrouted> unrouted;
        bool needs_map = true, is_asking = false;
        MonoTime ask_not_before{};
        int asked = 0;
    };
    struct UnderWay {
        Stream* stream = nullptr;
        ShardQueue* queue = nullptr;  // nullptr: a describe
        bool is_position = false;
    };

    ShardQueue& queue_of(Stream& stream, const ShardMap::Entry& shard);
    bool route(Stream& stream, std::string_view partition_key, Bytes data, PendingRecord record);
    void reroute(Stream& stream, ShardQueue& closed);
    void ask_again(Stream& stream, MonoTime now);
    void ask_soon(Stream& stream, MonoTime now);
    void refused_batch(Stream& stream, ShardQueue& queue, const Error& error, MonoTime now);
    void finish_batch(PendingBatch batch, const ShardQueue& queue, const Error& error);
    void finish_batch(PendingBatch batch, PutResult result, const ShardQueue& queue);
    void finish_record(PendingRecord record, PutResult result);
    void expire(Stream& stream, MonoTime now);
    std::chrono::milliseconds backoff(int attempts) const;

    ProducerOptions options_;
    std::uint64_t producer_id_;
    std::map<std::string, std::unique_ptr<Stream>, std::less<>> streams_;
    std::unordered_map<std::uint32_t, UnderWay> under_way_;
    std::uint32_t last_id_ = 1'000'000;  // above the ids of the channel's own handshake
    std::map<std::uint64_t, std::size_t> outstanding_;  // records by flush epoch
    std::uint64_t epoch_ = 0;
    std::size_t memory_bytes_ = 0;
    std::vector<FinishedPut> finished_;
    Error last_error_{Errc::Unavailable, "the broker has not answered"};
    ProducerMetrics metrics_;
};

}  // namespace tidemill::client

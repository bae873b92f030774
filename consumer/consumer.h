#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "producer/outcome.h"

namespace tidemill::client {

/// Where to begin in a shard that has no checkpoint yet. Shards split or merged from one that was
/// read begin at their first record.
struct StartPosition {
    enum class Kind : std::uint8_t { Oldest, Latest, AtTime };
    Kind kind = Kind::Oldest;
    std::chrono::system_clock::time_point
        time{};  ///< AtTime: the first record that arrived then or later

    static StartPosition oldest() { return {}; }
    static StartPosition latest() { return {Kind::Latest, {}}; }
    static StartPosition at_time(std::chrono::system_clock::time_point time) {
        return {Kind::AtTime, time};
    }
};

struct ConsumerOptions {
    std::string endpoint = "127.0.0.1:4567";  ///< "host:port" or "tidemill://host:port"
    std::string stream;
    /// Consumers of one application share the stream's shards by leases and keep their checkpoints
    /// in the broker. Empty: read all shards alone, keep nothing.
    std::string application;
    std::string
        worker;  ///< unique among the application's workers; empty: host name and process id
    StartPosition start;
    std::chrono::milliseconds lease_duration{
        10'000};  ///< another worker takes over after so long a silence
    std::chrono::milliseconds sync_interval{
        2000};  ///< how often shards and leases are looked at; renews leases
    /// Of one shard, delivered and not yet taken by next_batch: so many bytes as they were sent,
    /// and so many of records opened from compressed batches (one batch more than that at most).
    std::size_t credit_bytes = 4 * 1024 * 1024;
    std::chrono::milliseconds connect_timeout{5000}, request_timeout{10'000};
};

struct Record {
    std::string partition_key;
    std::string data;
    std::uint64_t ordinal = 0;  ///< its number within the shard
    std::chrono::system_clock::time_point arrival;
};

/// What next_batch hands out.
struct Delivery {
    enum class Kind : std::uint8_t {
        Records,
        ShardEnded,  ///< closed and read to its end; checkpoint it, so that its children begin
        LeaseLost,   ///< another worker has the shard: checkpoints of it will be refused
        Unreadable,  ///< a producer stored what is no records: `reason` says where, next_ordinal is
                     ///< behind it, and the shard goes on
    };
    Kind kind = Kind::Records;
    std::uint32_t shard_index = 0;
    std::uint64_t next_ordinal = 0;  ///< where the shard goes on after these records
    std::uint64_t tail_ordinal =
        0;  ///< the shard's end when they were sent: minus next_ordinal is the lag
    std::vector<Record> records;
    std::string reason;  ///< of Unreadable

    std::string shard_id() const;
    /// As the Kinesis API prints it. Limits: builds 56 digits; call it when needed.
    std::string sequence_number(const Record& record) const;

    std::int64_t shard_created_s = 0;
};

struct ConsumerMetrics {
    std::uint64_t records = 0, deliveries = 0;
    std::uint64_t bytes = 0;  ///< of batches as they were sent
    std::uint64_t records_unreadable = 0;
    std::uint64_t reconnects = 0, leases_lost = 0;
    std::size_t shards_held = 0;
};

/// Reads a stream's shards by push subscriptions: each shard sends until its credit is used up, and
/// next_batch gives the credit back. A shard's parents come to their end (checkpointed) before it
/// begins. Every record is handed out at least once: again after a crash or a lost lease from the
/// last checkpoint on. Threads: one of its own keeps leases and reads; next_batch and checkpoint
/// may be called from any.
class Consumer {
 public:
    /// Errors: "unavailable", "not_found" (the stream), "invalid_argument".
    static Outcome<Consumer> connect(ConsumerOptions options);
    Consumer(Consumer&&) noexcept;
    Consumer& operator=(Consumer&&) noexcept;
    ~Consumer();  ///< closes

    /// The next batch of any shard held; nothing at the timeout. Batches of one shard come in
    /// order. Errors: "not_found" when the stream is gone, "corrupt" when a batch does not match
    /// its checksum (names shard and ordinal; that shard stops there), "cancelled" after close.
    Outcome<std::optional<Delivery>> next_batch(std::chrono::milliseconds timeout);

    /// All records of `done` and before are done. Errors: "fenced" when the lease is another's now.
    /// Without an application it only lets a closed shard's children begin.
    Completion checkpoint(const Delivery& done);
    /// The same at a record within a batch: all before `next_ordinal` are done.
    Completion checkpoint(std::uint32_t shard_index, std::uint64_t next_ordinal);

    /// Gives the leases back and ends the thread. What was not checkpointed is handed out again.
    /// Idempotent.
    void close();

    ConsumerMetrics metrics() const;

 private:
    struct State;
    explicit Consumer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace tidemill::client

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "producer/outcome.h"

namespace tidemill::client {

struct ProducerOptions {
    std::string endpoint = "127.0.0.1:4567";  ///< "host:port" or "tidemill://host:port"
    std::chrono::microseconds linger{
        2000};  ///< how long a lone record waits for company; 0: not at all
    std::size_t batch_bytes_max =
        256 * 1024;  ///< a batch is sent when it has so many, before compression
    /// Of each batch: "none", "lz4", "zstd" or "zstd:LEVEL" (1 to 19). The broker keeps it as it is
    /// sent and readers open it; a batch that would not shrink goes without.
    std::string compression = "none";
    std::size_t memory_bytes_max = 64 * 1024 * 1024;  ///< of records accepted and not yet answered
    std::chrono::milliseconds record_ttl{
        30'000};  ///< a record not stored by then fails with "timeout"
    /// Each record is stored once, however often its batch has to be sent. Without it a retry after
    /// a lost answer can store a batch twice.
    bool is_idempotent = true;
    /// Under which the broker knows this producer; 0: a random one. A program that keeps its own
    /// over a restart goes on where the broker says that it stands (AdminClient::producer_progress
    /// tells what is stored). No two producers may use one at the same time.
    std::uint64_t producer_id = 0;
    std::chrono::milliseconds retry_backoff_min{20}, retry_backoff_max{1000};
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds request_timeout{
        10'000};  ///< without an answer the connection is made anew
};

/// What became of one record.
class PutResult {
 public:
    bool is_ok() const { return !failure_.has_value(); }
    explicit operator bool() const { return is_ok(); }
    /// Why not; `code` "timeout" and "unknown" mean that the record may have been stored all the
    /// same.
    const Failure& failure() const { return *failure_; }

    std::string shard_id() const;                       ///< "shardId-000000000000"
    std::string sequence_number() const;                ///< as the Kinesis API prints it
    std::uint64_t ordinal() const { return ordinal_; }  ///< its number within the shard, from 0
    std::chrono::system_clock::time_point arrival() const;
    int attempts() const { return attempts_; }  ///< how often its batch was sent
    /// An earlier sending had been stored already, its answer was lost.
    bool is_duplicate() const { return is_duplicate_; }

 private:
    friend class ProducerCore;
    std::optional<Failure> failure_;
    std::uint64_t ordinal_ = 0;
    std::int64_t arrival_ms_ = 0, shard_created_s_ = 0;
    std::uint32_t shard_index_ = 0;
    int attempts_ = 0;
    bool is_duplicate_ = false;
};

/// Called once, on the producer's own thread: be quick, and do not wait for the producer there.
using PutCallback = std::function<void(const PutResult&)>;

struct ProducerMetrics {
    std::uint64_t records_accepted = 0, records_stored = 0, records_failed = 0;
    std::uint64_t bytes_stored = 0;        ///< of record data and keys
    std::uint64_t batch_bytes_stored = 0;  ///< of the batches they went in, compressed or not
    std::uint64_t batches_stored = 0, batches_retried = 0;
    std::uint64_t batches_duplicate = 0;     ///< of those stored: by an earlier sending
    std::uint64_t sequences_begun_anew = 0;  ///< after a batch was given up, or a gap in the log
    std::uint64_t reconnects = 0, shard_map_refreshes = 0;
    std::uint64_t records_pending = 0, memory_bytes = 0;
};

/// Writes records to streams: collects them by shard into batches, sends these over one connection
/// of the native protocol from a thread of its own, and retries until a record's time is up. Order:
/// records of one partition key are stored in the order of `put`, also across retries and
/// resharding: a shard has one batch under way at a time. A record whose result is "stored" is
/// stored exactly once, whatever happened to connection and broker meanwhile; one that ended as
/// "timeout" at most once. Limits: the broker remembers an idle producer for 7 days. Threads: any
/// may call; callbacks run on the producer's thread.
class Producer {
 public:
    /// Connects once, so that a wrong address fails here; later losses of the connection are
    /// retried.
    static Outcome<Producer> connect(ProducerOptions options);
    Producer(Producer&&) noexcept;
    Producer& operator=(Producer&&) noexcept;
    ~Producer();  ///< closes

    /// Waits while memory_bytes_max is used up. `explicit_hash_key`: decimal, instead of the key's
    /// MD5.
    std::future<PutResult> put(std::string_view stream, std::string_view partition_key,
                               std::string_view data, std::string_view explicit_hash_key = {});
    /// The same without a future; cheaper. Within a callback it does not wait but goes beyond the
    /// bound.
    void put_async(std::string_view stream, std::string_view partition_key, std::string_view data,
                   PutCallback done = {}, std::string_view explicit_hash_key = {});
    /// False, with nothing taken, when memory_bytes_max would be passed.
    bool try_put(std::string_view stream, std::string_view partition_key, std::string_view data,
                 PutCallback done = {}, std::string_view explicit_hash_key = {});

    /// Sends without lingering and returns when all records put before have their result.
    void flush();
    /// Refuses new records, flushes, ends the thread. Every record gets its result. Idempotent.
    void close();

    ProducerMetrics metrics() const;

 private:
    struct State;
    explicit Producer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace tidemill::client

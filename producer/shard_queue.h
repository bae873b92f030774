#pragma once

#include <deque>
#include <future>
#include <optional>
#include <vector>

#include "engine/base/time.h"
#include "producer/producer.h"
#include "producer/stream_layout.h"
#include "proto/record_batch.h"

namespace tidemill::client {

/// Who wants to know what became of a record.
struct PutWaiter {
    std::optional<std::promise<PutResult>> promise;
    PutCallback callback;
};

/// A record inside a batch: everything but its bytes, which are the batch's.
struct PendingRecord {
    uint128 hash_key = 0;
    MonoTime since{};
    std::uint64_t epoch = 0;  ///< of `flush`
    std::size_t memory_bytes = 0;
    PutWaiter waiter;
};

struct PendingBatch {
    RecordBatchBuilder builder;
    std::vector<PendingRecord> records;
    RecordBatchView finished;  ///< once it has been sent for the first time; never changes after
    std::uint32_t producer_sequence = 0;
    int attempts = 0;
    MonoTime not_before{};  ///< of a retry

    MonoTime oldest() const { return records.front().since; }
};

/// What one shard has yet to store, in order. One batch is under way at a time: so a retry cannot
/// overtake, and while it is under way the next one fills. No clock and no socket: the caller
/// brings the time.
class ShardQueue {
 public:
    ShardQueue(const ShardMap::Entry& shard, const ProducerOptions& options,
               std::uint64_t producer_id)
        : shard_(shard), options_(options), producer_id_(producer_id) {}

    const ShardMap::Entry& shard() const { return shard_; }
    bool is_empty() const { return batches_.empty(); }
    bool is_under_way() const { return is_under_way_; }
    /// How often the first batch has been sent.
    int attempts() const { return batches_.empty() ? 0 : batches_.front().attempts; }

    /// True when the sender should look at once: the first record of a batch, or its last.
    bool add(std::string_view partition_key, Bytes data, PendingRecord record);
    /// Lets what is there go without lingering.
    void hasten();

    /// The batch that should be sent now, counted as under way; nullptr when there is none.
    PendingBatch* take_due(MonoTime now);
    /// When take_due or take_expired may have something next; MonoTime::max() for never.
    MonoTime next_due() const;

    PendingBatch finish();            ///< the batch under way has its answer; removes it
    void retry(MonoTime not_before);  ///< the batch under way goes again, first
    /// Removes batches, not under way, whose oldest record's time is up.
    std::vector<PendingBatch> take_expired(MonoTime now);
    /// Removes everything, in order (the shard is closed).
    std::deque<PendingBatch> take_all();

 private:
    // A batch takes no more records after this, so that those of one batch expire together.
    static constexpr auto kFillTimeMax = 100ms;
    bool is_full(const PendingBatch& batch) const;
    bool is_sealed(const PendingBatch& batch) const { return batch.attempts > 0; }

    ShardMap::Entry shard_;
    const ProducerOptions& options_;
    std::uint64_t producer_id_;
    std::uint32_t next_sequence_ = 0;
    std::deque<PendingBatch> batches_;  // the front is under way or next
    bool is_under_way_ = false, is_hastened_ = false;
};

}  // namespace tidemill::client

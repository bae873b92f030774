#pragma once

#include <deque>
#include <future>
#include <optional>
#include <vector>

#include "engine/base/time.h"
#include "producer/producer.h"
#include "producer/stream_layout.h"
#include "proto/batch_codec.h"

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
    RecordBatchView finished;           ///< once it is sealed; it goes again byte for byte
    std::vector<std::byte> compressed;  ///< what `finished` views when it is compressed
    bool is_sealed = false;             ///< has its sequence number and takes no more records
    bool is_fresh = false;              ///< sealed, and not compressed yet
    bool may_be_stored = false;  ///< it was sent, and no answer says that it is not in the log
    int attempts = 0;
    MonoTime not_before{};  ///< of a retry

    MonoTime oldest() const { return records.front().since; }
    /// Before the first sending.
    void compress(BatchCompressor& compressor) {
        finished = compressor.compress(finished, compressed);
        is_fresh = false;
    }
};

/// What one shard has yet to store, in order. One batch is under way at a time: so a retry cannot
/// overtake, and while it is under way the next one fills. Numbers the records for the broker,
/// which stores each batch once (docs/formats/record_batch.md, "Idempotence"). No clock and no
/// socket: the caller brings the time.
class ShardQueue {
 public:
    /// `producer_id` 0: not idempotent.
    ShardQueue(const ShardMap::Entry& shard, const ProducerOptions& options,
               std::uint64_t producer_id)
        : shard_(shard),
          options_(options),
          producer_id_(producer_id),
          needs_position_(producer_id != 0 && producer_id == options.producer_id) {}

    const ShardMap::Entry& shard() const { return shard_; }
    bool is_empty() const { return batches_.empty(); }
    bool is_under_way() const { return is_under_way_; }
    std::uint64_t producer_id() const { return producer_id_; }
    /// True when the broker has to be asked first where the producer stands; counts as asked.
    bool take_position_due(MonoTime now);
    bool is_asking() const { return is_asking_position_; }
    void position_is(std::uint32_t next_sequence);
    void position_failed(MonoTime not_before);
    /// The first batch may be stored already, and only this shard can tell.
    bool is_in_doubt() const {
        return producer_id_ != 0 && !batches_.empty() && batches_.front().may_be_stored;
    }
    /// The broker has surely not stored the first batch.
    void first_is_not_stored() { batches_.front().may_be_stored = false; }
    /// The numbers given so far cannot be gone on with: the broker will not get the batch that
    /// bears the next one, or has another there. What has not been answered is numbered again.
    void begin_anew();
    /// The shard takes no more records. Only a batch in doubt is still sent to it: its answer says
    /// whether it was stored before. The rest waits for the shards that took the range over.
    void set_closed(bool is_closed) { is_closed_ = is_closed; }
    bool is_closed() const { return is_closed_; }
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
    bool waits_for_children() const { return is_closed_ && !is_in_doubt(); }

    ShardMap::Entry shard_;
    const ProducerOptions& options_;
    std::uint64_t producer_id_;
    std::uint32_t next_sequence_ = 0;  // of the next batch to be sealed
    bool needs_position_ = false, is_asking_position_ = false;
    MonoTime ask_position_not_before_{};
    std::deque<PendingBatch> batches_;  // the front is under way or next
    bool is_under_way_ = false, is_hastened_ = false, is_closed_ = false;
};

}  // namespace tidemill::client

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/io/buffer.h"
#include "engine/io/task.h"
#include "proto/record_batch.h"

namespace tidemill {

/// How an append ended. `Unknown` is an honest answer: the bytes may or may not be there after
/// recovery.
enum class Outcome : std::uint8_t { Committed, Rejected, Fenced, Unknown };

struct AppendResult {
    Outcome outcome = Outcome::Unknown;
    Ordinal first_ordinal = 0;  ///< of the batch's first record; valid when Committed
    WallTime arrival{};         ///< stamped arrival time; valid when Committed
    bool is_duplicate = false;  ///< Committed before: these are the first copy's place and time
    Error error;                ///< why not Committed
};

/// One append in flight. Intrusive, so that a door can hold thousands without allocation.
/// Ownership: the caller's until `done` has been called; `batch` must stay alive only until
/// `submit` returns (its bytes
///   are copied into the open commit there).
struct AppendOp {
    ShardUid shard;
    RecordBatchView batch;  ///< producer's half complete and verified
    AppendResult result;
    /// Called exactly once, on the core that submitted, never from within `submit`.
    void (*done)(AppendOp&) noexcept = nullptr;
};

/// A hold on a shard's end. In the embedded engine the epoch is 1 for ever; a shared store gives a
/// greater epoch to each new owner and fences the older ones.
struct Ownership {
    std::uint32_t epoch = 1;
};

struct TailInfo {
    Ordinal trim = 0;         ///< the first record that may still be read
    Ordinal end = 0;          ///< one past the last durable record
    bool is_sealed = false;   ///< nothing will be appended any more
    WallTime last_arrival{};  ///< of the record before `end`; epoch when there has been none
};

struct ReadLimits {
    std::size_t bytes = 1_MiB;  ///< stop before exceeding this, but return at least one batch
    std::uint64_t records = UINT64_MAX;  ///< stop once this many records are covered
};

/// Whole, stamped record batches in order. The first may begin before the ordinal asked for: the
/// reader skips.
struct ReadResult {
    std::vector<BufferSlice> batches;  ///< each slice is exactly one batch
    Ordinal next =
        0;          ///< read from here next time; == the request's ordinal when nothing was there
    TailInfo tail;  ///< as of this read
    /// As `batches`: the data key that each was stored under, 0 for a plain one. Empty: all plain.
    std::vector<std::uint16_t> key_ids;
};

/// How far an idempotent producer has come in one shard.
struct ProducerPosition {
    bool is_known = false;  ///< false: no batch of it is remembered; it may begin anywhere
    std::uint32_t next_sequence = 0;  ///< of its next batch
    Ordinal end = 0;                  ///< one past its last record
};

/// What the log must know of a shard to let old data go.
struct ShardPolicy {
    std::chrono::milliseconds retention = std::chrono::hours{24};
    bool is_deleted = false;  ///< its stream is gone: reads fail with NotFound, space comes back
    std::uint64_t max_bytes = 0;  ///< of stored batches; beyond it the oldest go. 0: no bound
};

/// Writes the end of one shard. Obtained from LogStore::open_writer. Usable from the core that
/// opened it.
class ShardWriter {
 public:
    virtual ~ShardWriter() = default;
    virtual ShardUid shard() const = 0;
    /// Appends one batch and assigns consecutive ordinals. Appends of one writer commit in the
    /// order of submission. A batch with a producer id that repeats a stored one is not stored
    /// again: it ends Committed with the first copy's place (`is_duplicate`), not before that one
    /// is durable; also when the shard has been sealed since. Durability: Committed means on stable
    /// storage (or in memory where the store's durability is `memory`). Errors (in op.result):
    /// Rejected with ShardClosed, NoSpace, Throttled (too many bytes in flight), TooLarge,
    ///   Unavailable (stopping), SequenceGap, SequenceStale, SequenceConflict (an idempotent
    ///   producer's batch out of its order); Fenced; Unknown with IoFailed.
    virtual void submit(AppendOp& op) = 0;
    /// `submit` as a task. `batch` must stay alive until the task ends.
    Task<AppendResult> append(RecordBatchView batch);
};

/// SEAM: where the records of all shards live. Nothing outside engine/log knows what is behind it.
/// Implementations pass tests/contract/log_store_contract. Only committed data is ever readable.
/// Core: every function may be called from any reactor and resumes there; the store goes to the
/// owning core itself.
class LogStore {
 public:
    virtual ~LogStore() = default;

    /// Tells the store of a shard that the catalog has made, or changes its policy. Takes effect on
    /// reads at once; what has expired once does not come back with a longer retention. Idempotent,
    /// cheap, not durable: the catalog repeats it for all shards at start. A shard the store has
    /// never been told of does not exist for it.
    virtual Task<Status> configure_shard(ShardUid shard, ShardPolicy policy) = 0;
    /// The same for many shards at once (start-up; creating a stream).
    virtual Task<Status> configure_shards(std::vector<std::pair<ShardUid, ShardPolicy>> shards) = 0;

    /// After all shards that the catalog knows have been configured: what the store holds of other
    /// shards below `below` belongs to deleted streams, and its space comes back. From `below` on
    /// the catalog has never given a number away: such records are kept and reported.
    virtual Task<Status> drop_unconfigured_shards(ShardUid below) = 0;

    /// Errors: NotFound, Fenced (a greater epoch is known).
    virtual Result<std::unique_ptr<ShardWriter>> open_writer(ShardUid shard,
                                                             Ownership ownership) = 0;

    /// Reads committed batches from `from` on, oldest first; an expired or trimmed beginning is
    /// skipped. Returns no batches (and no error) at the tip. Errors: NotFound, Corrupt (names
    /// shard, segment, offset), IoFailed.
    virtual Task<Result<ReadResult>> read(ShardUid shard, Ordinal from, ReadLimits limits) = 0;

    virtual Task<Result<TailInfo>> tail(ShardUid shard) = 0;

    /// The first record that arrived at or after `time`; `tail.end` when there is none yet.
    virtual Task<Result<Ordinal>> seek_time(ShardUid shard, WallTime time) = 0;

    /// How far producer `producer_id` has come in the shard, once nothing of it is on its way.
    /// Errors: NotFound.
    virtual Task<Result<ProducerPosition>> producer_position(ShardUid shard,
                                                             std::uint64_t producer_id) = 0;

    /// Resumes with the new tail once its end exceeds `beyond`, the shard is sealed or deleted, or
    /// at `deadline` (then with the tail as it is).
    virtual Task<Result<TailInfo>> wait_tail(ShardUid shard, Ordinal beyond, MonoTime deadline) = 0;

    /// Ends every wait_tail that waits now, as if its deadline had come: whoever stops need not
    /// wait for those who wait. Costs a look at every shard.
    virtual Task<void> interrupt_waits() = 0;

    /// Closes the shard's end for ever; durable when it returns. Idempotent. Errors: NotFound,
    /// Fenced, IoFailed.
    virtual Task<Result<TailInfo>> seal(ShardUid shard, Ownership ownership) = 0;
    /// The same for many shards at once, each with its own outcome, in the order given.
    virtual Task<std::vector<Result<TailInfo>>> seal_shards(std::vector<ShardUid> shards,
                                                            Ownership ownership) = 0;

    /// Records before `before` will not be read again, and their space comes back. Works when the
    /// disk budget is used up.
    virtual Task<Status> trim(ShardUid shard, Ordinal before) = 0;
};

}  // namespace tidemill

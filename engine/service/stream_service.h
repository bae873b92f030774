#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/catalog/stream.h"
#include "engine/io/task.h"
#include "engine/log/log_store.h"
#include "engine/service/stream_control.h"
#include "engine/usage/key_sample.h"
#include "engine/usage/rate_limits.h"
#include "engine/usage/shard_rates.h"
#include "engine/usage/watched_shards.h"
#include "proto/wire_limits.h"

namespace tidemill {

enum class EncryptionWish : std::uint8_t { AsConfigured, On, Off };

struct CreateStream {
    std::string name;
    std::uint32_t shard_count = 1;
    StreamMode mode = StreamMode::Provisioned;
    std::chrono::hours retention{24};
    std::uint64_t max_bytes = 0;  ///< 0: no bound
    std::uint32_t max_record_bytes = wire_limits::kRecordBytesDefault;
    std::uint32_t warm_mib_per_second =
        0;  ///< on demand only; more shards at once if it takes them
    RecordDistribution distribution = RecordDistribution::ByKey;
    std::string owner_account;  ///< empty: of whoever asks
    std::map<std::string, std::string> tags;
    EncryptionWish encryption = EncryptionWish::AsConfigured;
};

/// What is to change; the rest stays.
struct RetentionChange {
    std::optional<std::chrono::hours> retention;
    std::optional<std::uint64_t> max_bytes;  ///< of the whole stream; 0: no bound
};

struct PutRecord {
    std::string_view partition_key;
    Bytes data;
    std::optional<uint128> explicit_hash_key;
};

struct PutOutcome {
    const ShardInfo* shard = nullptr;  ///< within the stream that was passed in, or within `layout`
    /// The newer layout, when the record's first shard was split or merged before it could be
    /// stored.
    std::shared_ptr<const StreamInfo> layout;
    AppendResult append;  ///< `first_ordinal` is this record's
};

/// How much of something is in use.
struct UsageCount {
    std::string what;
    std::uint64_t used = 0;
    std::uint64_t limit = 0;
};

struct LimitsReport {
    LimitsMode mode = LimitsMode::None;
    std::vector<UsageCount> counts;
};

/// A consumer application's progress on one shard.
struct Checkpoint {
    std::uint32_t shard_index = 0;
    Ordinal ordinal = 0;              ///< the first record not yet done
    bool is_finished = false;         ///< the shard ended and all of it is done
    std::string owner;                ///< worker that holds the lease; empty when free
    std::uint64_t lease_counter = 0;  ///< grows with each change of owner and each renewal
    WallTime lease_until{};
};

/// What the product does, free of any wire format. Every door calls this and owns no rule of its
/// own. Core: every function may be called from any reactor and resumes there. One instance a
/// process.
class StreamService : public StreamControl {
 public:
    // Streams. Errors: AlreadyExists, NotFound, ResourceInUse, InvalidArgument, LimitExceeded;
    // Validation as change_settings.
    virtual Task<Result<std::shared_ptr<const StreamInfo>>> create_stream(CreateStream request) = 0;
    /// Errors: also ResourceInUse when consumers are registered with it, unless these may go too.
    virtual Task<Status> delete_stream(std::string name, bool with_consumers = false) = 0;
    /// From this core's view; no suspension. Errors: NotFound.
    virtual Result<std::shared_ptr<const StreamInfo>> find_stream(std::string_view name) const = 0;
    virtual std::shared_ptr<const CatalogView> catalog() const = 0;
    /// How long, and how many bytes of, a stream's records are kept. Takes effect at once on what
    /// is still there; what is gone does not come back. Each shard gets an equal part of max_bytes.
    /// Errors: NotFound, InvalidArgument.
    virtual Task<Status> set_retention(std::string name, RetentionChange change) = 0;
    /// Sets the tags of `set`, then takes those of `remove` away. Errors: NotFound,
    /// InvalidArgument.
    virtual Task<Status> edit_tags(std::string name, std::map<std::string, std::string> set,
                                   std::vector<std::string> remove) = 0;

    // Encryption at rest (docs/encryption.md). Each is in force on every core when it returns, for
    // what is appended from then on; what is stored already stays as it is. Errors: NotFound;
    // Unsupported when the broker has no master key; LimitExceeded after 65,535 keys.
    /// New batches are encrypted, under a new data key unless it is on already by that name.
    /// `key_name` is kept for descriptions.
    virtual Task<Result<std::shared_ptr<const StreamInfo>>> start_encryption(
        std::string name, std::string key_name) = 0;
    /// New batches are plain. The keys stay: older batches need them.
    virtual Task<Result<std::shared_ptr<const StreamInfo>>> stop_encryption(std::string name) = 0;
    /// New batches go under a new data key. Errors: also ResourceInUse when encryption is off.
    virtual Task<Result<std::shared_ptr<const StreamInfo>>> rotate_data_key(std::string name) = 0;

    // Shards. Each returns the stream with its new layout once that is in force, or after a while
    // Timeout: the change then goes on, and a restart completes it. Records of a key that the
    // parents have acknowledged precede those of the children. Errors: NotFound (stream, shard),
    // InvalidArgument, LimitExceeded, ResourceInUse (another change is under way); NoSpace,
    // Throttled, Unavailable when the log could not close the parents: nothing has changed.
    /// Splits an open shard where `first_key_of_second` says, else in the middle.
    virtual Task<Result<std::shared_ptr<const StreamInfo>>> split_shard(
        std::string stream, std::uint32_t shard_index,
        std::optional<uint128> first_key_of_second) = 0;
    /// Merges two open shards whose ranges touch.
    virtual Task<Result<std::shared_ptr<const StreamInfo>>> merge_shards(
        std::string stream, std::uint32_t shard_index, std::uint32_t adjacent_index) = 0;
    /// Splits and merges to `shard_count` even ranges, in one step.
    virtual Task<Result<std::shared_ptr<const StreamInfo>>> scale_stream(
        std::string stream, std::uint32_t shard_count) = 0;

    /// The rates that are kept, or null when there are none (limits.mode "none"). Writing keeps
    /// them by itself; whoever reads by polling, or calls a control operation for a client, asks.
    virtual RateLimits* limits() { return nullptr; }

    /// How busy each of the stream's shards is, as `shards`. Errors: NotFound.
    virtual Task<Result<std::vector<ShardRates>>> shard_rates(std::string stream);
    /// Keys of some of the records that were written to the stream since the last call. Asking
    /// makes the broker take them, for `kKeysWatched`; nobody else may be asking. At most
    /// `kSampledKeysMax` are kept. Errors: NotFound, Unsupported.
    static constexpr std::chrono::seconds kKeysWatched{5};
    static constexpr std::size_t kSampledKeysMax = 16384;
    virtual Task<Result<std::vector<SampledKey>>> sampled_keys(std::string stream);
    /// What the broker, or one stream, has used of what it may. Errors: NotFound.
    virtual Task<Result<LimitsReport>> limits_report(std::string stream);

    /// What this core counts of a shard, or null when its stream shows no metrics of single shards.
    /// put_records counts by itself; whoever writes by `writer`, or reads for a client, counts
    /// there. Valid until the next suspension.
    virtual ShardCounts* shard_counts(ShardUid) { return nullptr; }

    // Writing.
    /// Routes each record by its hash key, or evenly when the stream says so, and appends one batch
    /// a shard. `outcomes[i]` belongs to
    /// `records[i]`; a record that fails does not fail the others (Throttled: its shard's rate is
    /// used up). One that meets a shard closed by
    /// a reshard waits for the new layout and goes there. Ownership: the views and `stream` live
    /// until the task ends.
    virtual Task<std::vector<PutOutcome>> put_records(const StreamInfo& stream,
                                                      std::vector<PutRecord> records) = 0;
    /// This core's writer of an open shard, kept by the service; the fast path of the native door.
    /// The pointer stays valid on this core until the service stops. Errors: NotFound, ShardClosed.
    virtual Result<ShardWriter*> writer(ShardUid shard) = 0;

    /// Whether a batch that goes to `writer` as it is holds no record larger than its stream
    /// allows. Errors: NotFound, TooLarge, Corrupt.
    virtual Status check_record_sizes(ShardUid shard, const RecordBatchView& batch) = 0;

    // Reading, as in LogStore.
    virtual Task<Result<ReadResult>> read(ShardUid shard, Ordinal from, ReadLimits limits) = 0;
    virtual Task<Result<TailInfo>> tail(ShardUid shard) = 0;
    virtual Task<Result<Ordinal>> seek_time(ShardUid shard, WallTime time) = 0;
    virtual Task<Result<ProducerPosition>> producer_position(ShardUid shard,
                                                             std::uint64_t producer_id) = 0;
    virtual Task<Result<TailInfo>> wait_tail(ShardUid shard, Ordinal beyond, MonoTime deadline) = 0;
    /// Ends every wait_tail that waits now, as if its deadline had come.
    virtual Task<void> interrupt_waits() = 0;

    // Consumer applications: leases with checkpoints, kept in the catalog store.
    virtual Task<Result<std::vector<Checkpoint>>> checkpoints(std::string application,
                                                              StreamUid stream) = 0;
    /// Takes or renews the lease when it is free, expired or already `owner`'s; else Fenced with
    /// the holder's name.
    virtual Task<Result<Checkpoint>> acquire_lease(std::string application, StreamUid stream,
                                                   std::uint32_t shard_index, std::string owner,
                                                   std::chrono::milliseconds duration) = 0;
    /// Moves the checkpoint; only by the lease's owner and counter. Never moves backwards. Errors:
    /// Fenced, NotFound.
    virtual Task<Status> save_checkpoint(std::string application, StreamUid stream,
                                         Checkpoint checkpoint) = 0;
    virtual Task<Status> release_lease(std::string application, StreamUid stream,
                                       std::uint32_t shard_index, std::string owner) = 0;

    // SQL applications' durable state: named blobs in the catalog store.
    virtual Task<Result<std::optional<std::vector<std::byte>>>> load_blob(std::string kind,
                                                                          std::string name) = 0;
    virtual Task<Status> save_blob(std::string kind, std::string name,
                                   std::vector<std::byte> bytes) = 0;
    virtual Task<Status> delete_blob(std::string kind, std::string name) = 0;
    virtual Task<Result<std::vector<std::string>>> list_blobs(std::string kind) = 0;
};

}  // namespace tidemill

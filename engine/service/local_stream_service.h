#pragma once

#include <unordered_map>
#include <unordered_set>

#include "engine/catalog/catalog.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"
#include "engine/service/blob_cipher.h"
#include "engine/service/encryption_options.h"
#include "engine/service/stream_ciphers.h"
#include "engine/service/stream_service.h"
#include "engine/usage/limited_writer.h"
#include "engine/usage/usage_options.h"
#include "engine/usage/usage_table.h"
#include "proto/batch_codec.h"

namespace tidemill {

/// What has become of changes of shards since the start.
struct ReshardStats {
    std::uint64_t done = 0, withdrawn = 0;
    std::uint64_t shards_closed = 0, shards_added = 0, shards_expired = 0;
    std::uint64_t sealing_micros = 0;  ///< while parents were closed and no child was known yet
    std::uint32_t under_way = 0;
};

/// What has become of streams in ON_DEMAND mode since the start.
struct OnDemandStats {
    std::uint64_t streams = 0;  ///< now
    std::uint64_t splits = 0, merges = 0;
    std::uint64_t failed = 0;   ///< changes that could not be made
    std::uint64_t one_key = 0;  ///< hot shards that no split helps
};

/// The service over a LogStore and a CatalogStore in this process. What it does by itself
/// (completing reshards, forgetting expired shards) runs on the first reactor.
class LocalStreamService final : public StreamService {
 public:
    /// Loads the catalog and tells the log of all shards. Runs on any of `reactors`.
    /// Ownership: reactors and stores outlive the service. Errors: those of open_stored_keys.
    static Task<Result<std::unique_ptr<LocalStreamService>>> start(
        std::vector<Reactor*> reactors, LogStore& log, CatalogStore& store,
        EncryptionOptions encryption = {}, UsageOptions usage = {});
    /// Ends what is under way, then lets go of the writers of each core, on that core. No call may
    /// be in flight; afterwards none may come.
    Task<void> stop();

    /// Core: the first reactor.
    const ReshardStats& reshard_stats() const { return reshard_stats_; }
    const OnDemandStats& on_demand_stats() const { return on_demand_stats_; }

    Task<Result<std::shared_ptr<const StreamInfo>>> create_stream(CreateStream request) override;
    Task<Status> delete_stream(std::string name, bool with_consumers = false) override;
    Result<std::shared_ptr<const StreamInfo>> find_stream(std::string_view name) const override;
    std::shared_ptr<const CatalogView> catalog() const override;
    Task<Status> set_retention(std::string name, RetentionChange change) override;
    Task<Status> edit_tags(std::string name, std::map<std::string, std::string> set,
                           std::vector<std::string> remove) override;

    Task<Result<ConsumerInfo>> register_consumer(std::string stream, std::string consumer,
                                                 std::map<std::string, std::string> tags) override;
    Task<Status> deregister_consumer(ConsumerRef consumer) override;
    Task<Status> edit_consumer_tags(ConsumerRef consumer, std::map<std::string, std::string> set,
                                    std::vector<std::string> remove) override;
    Task<Result<std::shared_ptr<const StreamInfo>>> change_settings(std::string stream,
                                                                    SettingsChange change) override;
    Task<Status> set_policy(std::string stream, std::string policy) override;
    Task<Status> set_consumer_policy(ConsumerRef consumer, std::string policy) override;
    Task<Result<AccountSettings>> account_settings(std::string account) override;
    Task<Result<AccountSettings>> commit_throughput(std::string account, bool is_wanted) override;

    Task<Result<std::shared_ptr<const StreamInfo>>> start_encryption(std::string name,
                                                                     std::string key_name) override;
    Task<Result<std::shared_ptr<const StreamInfo>>> stop_encryption(std::string name) override;
    Task<Result<std::shared_ptr<const StreamInfo>>> rotate_data_key(std::string name) override;
    /// Of this core; zeros without a master key.
    EncryptionStats encryption_stats();

    Task<Result<std::shared_ptr<const StreamInfo>>> split_shard(
        std::string stream, std::uint32_t shard_index,
        std::optional<uint128> first_key_of_second) override;
    Task<Result<std::shared_ptr<const StreamInfo>>> merge_shards(
        std::string stream, std::uint32_t shard_index, std::uint32_t adjacent_index) override;
    Task<Result<std::shared_ptr<const StreamInfo>>> scale_stream(
        std::string stream, std::uint32_t shard_count) override;

    RateLimits* limits() override { return limits_.get(); }
    Task<Result<std::vector<ShardRates>>> shard_rates(std::string stream) override;
    Task<Result<std::vector<SampledKey>>> sampled_keys(std::string stream) override;
    Task<Result<LimitsReport>> limits_report(std::string stream) override;
    ShardCounts* shard_counts(ShardUid shard) override {
        return watched_.find(shard, *catalog_.view());
    }
    /// Of all cores, by shard. Core: any.
    Task<std::map<ShardUid, ShardCounts>> collect_shard_counts() { return watched_.collect(); }
    Task<std::vector<PutOutcome>> put_records(const StreamInfo& stream,
                                              std::vector<PutRecord> records) override;
    Result<ShardWriter*> writer(ShardUid shard) override;
    Status check_record_sizes(ShardUid shard, const RecordBatchView& batch) override;

    Task<Result<ReadResult>> read(ShardUid shard, Ordinal from, ReadLimits limits) override;
    Task<Result<TailInfo>> tail(ShardUid shard) override;
    Task<Result<Ordinal>> seek_time(ShardUid shard, WallTime time) override;
    Task<Result<ProducerPosition>> producer_position(ShardUid shard,
                                                     std::uint64_t producer_id) override;
    Task<Result<TailInfo>> wait_tail(ShardUid shard, Ordinal beyond, MonoTime deadline) override;
    Task<void> interrupt_waits() override;

    Task<Result<std::vector<Checkpoint>>> checkpoints(std::string application,
                                                      StreamUid stream) override;
    Task<Result<Checkpoint>> acquire_lease(std::string application, StreamUid stream,
                                           std::uint32_t shard_index, std::string owner,
                                           std::chrono::milliseconds duration) override;
    Task<Status> save_checkpoint(std::string application, StreamUid stream,
                                 Checkpoint checkpoint) override;
    Task<Status> release_lease(std::string application, StreamUid stream, std::uint32_t shard_index,
                               std::string owner) override;

    Task<Result<std::optional<std::vector<std::byte>>>> load_blob(std::string kind,
                                                                  std::string name) override;
    Task<Status> save_blob(std::string kind, std::string name,
                           std::vector<std::byte> bytes) override;
    Task<Status> delete_blob(std::string kind, std::string name) override;
    Task<Result<std::vector<std::string>>> list_blobs(std::string kind) override;

 private:
    /// What one core keeps for itself.
    struct alignas(64) Core {
        ShardMeters meters;
        std::unordered_map<ShardUid, std::unique_ptr<MeteredWriter>> writers;
        std::unordered_map<ShardUid, std::unique_ptr<LimitedWriter>> limited;  // with limits
        Gate limited_gate;                                                     // their tasks
        RecordBatchBuilder builder;  // empty between calls
        std::vector<std::uint32_t>
            first_of_open;            // scratch of put_records: all kNone between calls
        std::uint32_t next_even = 0;  // where the next record of an Auto stream goes
        std::unordered_map<ShardUid, std::string> stream_names;  // of shards with large batches
        BatchOpener opener;
        std::unique_ptr<StreamCiphers> ciphers;  // these two: with a master key
        std::unique_ptr<BlobCipher> blobs;
    };

    /// What shall become of a stream's shards, as of `now`.
    using Planner =
        std::move_only_function<Result<Reshard>(const StreamInfo& stream, WallTime now)>;
    struct ReshardJob;

    LocalStreamService(std::vector<Reactor*> reactors, LogStore& log, CatalogStore& store,
                       EncryptionOptions encryption, UsageOptions usage);
    Reactor& home() const { return *reactors_.front(); }
    Core& this_core();
    Task<Status> open_keys();
    const char* blob_space() const;
    Status add_data_key(StreamInfo& stream) const;
    Task<Result<StreamPtr>> change_encryption(std::string name, Catalog::Edit edit);
    Task<Status> tell_ciphers(StreamPtr stream);
    Task<Status> forget_ciphers(StreamUid stream);
    Task<Result<ReadResult>> read_unsealed(ShardUid shard, Ordinal from, ReadLimits limits);
    Task<void> replace_used_keys();
    Task<void> collect_sealed_bytes();
    Task<void> replace_if_used(StreamPtr stream);
    Task<void> save_sealed_bytes(StreamPtr stream);
    Task<Status> check_warm_account(std::string account);
    Status count_mode_switch(const StreamInfo& stream);
    Result<StreamPtr> stream_of(ShardUid shard);
    Task<Status> tell_log(StreamPtr stream);
    Task<Status> forget_leases(StreamUid stream);
    Task<void> start_at_home();
    /// One more of what a stream may do only so often a day; at home. Errors: LimitExceeded.
    Status count_change(DailyChange change, const StreamInfo& stream);

    // writing.cpp
    Result<MeteredWriter*> unlimited_writer(ShardUid shard);
    struct Admission {
        std::uint32_t open_position = 0;
        bool is_admitted = true;
    };
    Task<std::vector<Admission>> admit_records(const StreamInfo& stream,
                                               const std::vector<PutRecord>& records);
    std::uint32_t open_position_of(const StreamInfo& stream, const PutRecord& record);
    Task<std::vector<PutOutcome>> put_routed(const StreamInfo& stream,
                                             const std::vector<PutRecord>& records,
                                             const std::vector<Admission>& admissions);
    void count_put(const std::vector<PutRecord>& records, const std::vector<PutOutcome>& outcomes);
    Task<void> follow_reshard(const StreamInfo& before, const std::vector<PutRecord>& records,
                              std::vector<PutOutcome>& outcomes);

    // streams.cpp
    Task<Result<StreamPtr>> create_within_quota(StreamInfo stream, std::uint32_t shard_count);

    // on_demand.cpp; at home
    struct OnDemandStream {
        StreamUid stream;
        OnDemandPolicy policy;
        MonoTime wait_until{};  // after a change that failed
    };
    Task<void> watch_usage();
    void keep_watched_keys(std::vector<ShardMeters::Collected>& collected);
    Task<void> end_watched_keys();
    void find_on_demand_streams(const CatalogView& view);
    Task<void> adapt_streams();
    Task<void> adapt_stream(StreamPtr stream, OnDemandStream& state);
    std::uint32_t on_demand_floor(const StreamInfo& stream) const;
    Task<void> change_sampling(std::vector<std::pair<ShardUid, bool>> changes);

    // limits_report.cpp
    Task<Result<LimitsReport>> report_limits_at_home(std::string name);

    // resharding.cpp; at home but for the first
    Task<Result<StreamPtr>> reshard(std::string name, Planner plan);
    Task<Result<StreamPtr>> reshard_at_home(std::string name, Planner plan);
    Status decide_reshard(StreamInfo& stream, Catalog::UidSource& uids, Planner& plan);
    Task<void> carry_out(std::shared_ptr<ReshardJob> job);
    Task<Status> seal_parents(StreamInfo& stream, ReshardJob* job);
    Task<void> make_durable(ReshardJob* job);
    Task<void> withdraw(ReshardJob* job, Error why);
    Task<void> close_closed_shards();
    Task<void> resume_reshards();

    // expired_shards.cpp; at home
    Task<void> forget_expired_shards();
    Task<void> forget_expired_shards_of(StreamPtr stream);

    std::vector<Reactor*> reactors_;
    LogStore& log_;
    CatalogStore& store_;
    Catalog catalog_;
    EncryptionOptions encryption_;
    OnDemandOptions on_demand_options_;
    std::unique_ptr<RateLimits> limits_;  // none: null
    WatchedShards watched_;
    std::vector<Core> cores_;

    // First reactor only.
    Gate gate_;  // reshards under way, the looks for expired shards and used keys
    ReshardStats reshard_stats_;
    UsageTable usage_;
    std::map<std::string, OnDemandStream> on_demand_;
    std::uint64_t on_demand_version_ = UINT64_MAX;  // of the catalog
    std::unordered_set<ShardUid> sampled_;
    /// Shards whose keys somebody wants to see, and those not yet given out.
    struct WatchedKeys {
        MonoTime until;
        std::vector<SampledKey> keys;
    };
    std::unordered_map<ShardUid, WatchedKeys> watched_keys_;
    OnDemandStats on_demand_stats_;
    std::uint32_t streams_being_created_ = 0;                    // counted with limits only
    std::unordered_map<StreamUid, std::uint64_t> sealed_bytes_;  // not yet in the catalog
};

}  // namespace tidemill

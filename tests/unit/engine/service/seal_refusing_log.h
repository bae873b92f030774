#pragma once

#include <optional>

#include "engine/log/log_store.h"

namespace tidemill {

/// Another log store, but that it can be made to refuse to seal. Core: one.
class SealRefusingLog final : public LogStore {
 public:
    explicit SealRefusingLog(LogStore& inner) : inner_(inner) {}

    std::optional<Errc> refusal;  ///< of every seal from now on

    Task<Status> configure_shard(ShardUid shard, ShardPolicy policy) override {
        return inner_.configure_shard(shard, policy);
    }
    Task<Status> configure_shards(std::vector<std::pair<ShardUid, ShardPolicy>> shards) override {
        return inner_.configure_shards(std::move(shards));
    }
    Task<Status> drop_unconfigured_shards(ShardUid below) override {
        return inner_.drop_unconfigured_shards(below);
    }
    Result<std::unique_ptr<ShardWriter>> open_writer(ShardUid shard, Ownership owner) override {
        return inner_.open_writer(shard, owner);
    }
    Task<Result<ReadResult>> read(ShardUid shard, Ordinal from, ReadLimits limits) override {
        return inner_.read(shard, from, limits);
    }
    Task<Result<TailInfo>> tail(ShardUid shard) override { return inner_.tail(shard); }
    Task<Result<Ordinal>> seek_time(ShardUid shard, WallTime time) override {
        return inner_.seek_time(shard, time);
    }
    Task<Result<ProducerPosition>> producer_position(ShardUid shard,
                                                     std::uint64_t producer_id) override {
        return inner_.producer_position(shard, producer_id);
    }
    Task<void> interrupt_waits() override { return inner_.interrupt_waits(); }
    Task<Result<TailInfo>> wait_tail(ShardUid shard, Ordinal beyond, MonoTime deadline) override {
        return inner_.wait_tail(shard, beyond, deadline);
    }
    Task<Result<TailInfo>> seal(ShardUid shard, Ownership owner) override {
        return inner_.seal(shard, owner);
    }
    Task<std::vector<Result<TailInfo>>> seal_shards(std::vector<ShardUid> shards,
                                                    Ownership owner) override {
        if (!refusal) co_return co_await inner_.seal_shards(std::move(shards), owner);
        co_return std::vector<Result<TailInfo>>(shards.size(), fail(*refusal, "no seal today"));
    }
    Task<Status> trim(ShardUid shard, Ordinal before) override {
        return inner_.trim(shard, before);
    }

 private:
    LogStore& inner_;
};

}  // namespace tidemill

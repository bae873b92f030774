#include "engine/service/local_stream_service.h"

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/reactor/call_on.h"
#include "engine/service/stream_rules.h"

namespace tidemill {

LocalStreamService::LocalStreamService(std::vector<Reactor*> reactors, LogStore& log,
                                       CatalogStore& store, EncryptionOptions encryption,
                                       UsageOptions usage)
    : reactors_(reactors),
      log_(log),
      store_(store),
      catalog_(std::move(reactors), store),
      encryption_(std::move(encryption)),
      on_demand_options_(usage.mode == LimitsMode::Aws ? aws_on_demand(usage.on_demand)
                                                       : usage.on_demand),
      limits_(usage.mode == LimitsMode::Aws ? std::make_unique<RateLimits>(reactors_) : nullptr),
      watched_(reactors_),
      cores_(reactors_.size()) {}

Task<Result<std::unique_ptr<LocalStreamService>>> LocalStreamService::start(
    std::vector<Reactor*> reactors, LogStore& log, CatalogStore& store,
    EncryptionOptions encryption, UsageOptions usage) {
    std::unique_ptr<LocalStreamService> service(
        new LocalStreamService(std::move(reactors), log, store, std::move(encryption), usage));
    CO_TRY(co_await service->open_keys());
    CO_TRY(co_await service->catalog_.load());
    std::vector<std::pair<ShardUid, ShardPolicy>> shards;
    const auto view = service->catalog();
    for (const auto& [name, stream] : view->streams) {
        for (const auto& shard : stream->shards)
            shards.emplace_back(shard.uid, policy_of(*stream));
        if (stream->reshard)
            for (const auto& shard : stream->reshard->added)
                shards.emplace_back(shard.uid, policy_of(*stream));
    }
    CO_TRY(co_await log.configure_shards(std::move(shards)));
    CO_TRY(co_await log.drop_unconfigured_shards(service->catalog_.next_shard()));
    auto begin = [at = service.get()] { return at->start_at_home(); };
    co_await call_on(service->home(), std::move(begin));
    co_return service;
}

Task<void> LocalStreamService::start_at_home() {
    co_await close_closed_shards();
    co_await resume_reshards();
    home().spawn(gate_, forget_expired_shards());
    home().spawn(gate_, watch_usage());
    if (encryption_.keys != nullptr) home().spawn(gate_, replace_used_keys());
}

Task<void> LocalStreamService::stop() {
    auto end = [this] { return gate_.close(); };
    co_await call_on(home(), std::move(end));
    for (Reactor* reactor : reactors_) {
        auto release = [core = &cores_[reactor->id().value]]() -> Task<void> {
            co_await core->limited_gate.close();
            core->limited.clear();
            core->writers.clear();
            core->ciphers.reset();
            core->blobs.reset();
            co_return;
        };
        co_await call_on(*reactor, std::move(release));
    }
}

Status LocalStreamService::count_change(DailyChange change, const StreamInfo& stream) {
    if (limits_ == nullptr) return {};
    const MonoTime now = home().clock().mono_now();
    TRY(limits_->control().check(change, stream.uid, stream.name, now));
    limits_->control().count(change, stream.uid, now);
    return {};
}

LocalStreamService::Core& LocalStreamService::this_core() {
    const auto core = Reactor::current().id().value;
    TM_CHECK(core < cores_.size(), "the service does not run on core {}", core);
    return cores_[core];
}

Task<Status> LocalStreamService::tell_log(StreamPtr stream) {
    std::vector<std::pair<ShardUid, ShardPolicy>> shards;
    shards.reserve(stream->shards.size());
    for (const auto& shard : stream->shards)
        shards.emplace_back(shard.uid, policy_of(*stream));
    return log_.configure_shards(std::move(shards));
}

}  // namespace tidemill

// LocalStreamService: streams made, found, changed and deleted.
#include <algorithm>

#include <fmt/format.h>

#include "engine/reactor/call_on.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/service_limits.h"
#include "engine/service/stream_rules.h"

namespace tidemill {

Task<Result<std::shared_ptr<const StreamInfo>>> LocalStreamService::create_stream(
    CreateStream request) {
    CO_TRY(check_create(request, *catalog_.view()));
    StreamInfo stream;
    stream.name = std::move(request.name);
    stream.mode = request.mode;
    stream.retention = request.retention;
    stream.max_bytes = request.max_bytes;
    stream.max_record_bytes = request.max_record_bytes;
    stream.warm_mib_per_second = request.warm_mib_per_second;
    stream.distribution = request.distribution;
    stream.owner_account = std::move(request.owner_account);
    stream.tags = std::move(request.tags);
    CO_TRY(check_settings(stream));
    if (stream.warm_mib_per_second != 0) {
        CO_TRY(co_await check_warm_account(stream.owner_account));
        request.shard_count =
            std::max(request.shard_count, warm_shards(stream.warm_mib_per_second));
    }
    const bool is_encrypted = request.encryption == EncryptionWish::AsConfigured
                                  ? encryption_.is_default
                                  : request.encryption == EncryptionWish::On;
    if (is_encrypted) CO_TRY(add_data_key(stream));
    if (limits_ != nullptr) {
        auto create = [this, made = std::move(stream), count = request.shard_count]() mutable {
            return create_within_quota(std::move(made), count);
        };
        co_return co_await call_on(home(), std::move(create));
    }
    auto tell = [this](StreamPtr made) { return tell_log(std::move(made)); };
    co_return co_await catalog_.create(std::move(stream), request.shard_count, std::move(tell));
}

Task<Result<StreamPtr>> LocalStreamService::create_within_quota(StreamInfo stream,
                                                                std::uint32_t shard_count) {
    CO_TRY(check_quotas(stream.mode, shard_count, *catalog_.view()));
    if (streams_being_created_ >= aws_rates::kStreamsBeingCreated)
        co_return fail(Errc::LimitExceeded,
                       fmt::format("There are {} streams in CREATING state, the limit.",
                                   streams_being_created_));
    ++streams_being_created_;
    auto tell = [this](StreamPtr made) { return tell_log(std::move(made)); };
    auto created = co_await catalog_.create(std::move(stream), shard_count, std::move(tell));
    --streams_being_created_;
    co_return created;
}

Task<Status> LocalStreamService::delete_stream(std::string name, bool with_consumers) {
    auto check = [with_consumers](const StreamInfo& stream) -> Status {
        if (with_consumers || stream.consumers.empty()) return {};
        return fail(Errc::ResourceInUse,
                    fmt::format("Stream {} has {} registered consumers: it is deleted only with "
                                "their deletion enforced.",
                                stream.name, stream.consumers.size()));
    };
    CO_ASSIGN(const StreamPtr removed, co_await catalog_.remove(std::move(name), std::move(check)));
    std::vector<std::pair<ShardUid, ShardPolicy>> shards;
    for (const auto& shard : removed->shards)
        shards.emplace_back(shard.uid, ShardPolicy{.is_deleted = true});
    if (removed->reshard)
        for (const auto& shard : removed->reshard->added)
            shards.emplace_back(shard.uid, ShardPolicy{.is_deleted = true});
    CO_TRY(co_await log_.configure_shards(std::move(shards)));
    if (limits_ != nullptr) {
        auto forget = [this, uid = removed->uid]() -> Task<void> {
            limits_->control().forget(uid);
            co_return;
        };
        co_await call_on(home(), std::move(forget));
    }
    CO_TRY(co_await forget_ciphers(removed->uid));
    co_return co_await forget_leases(removed->uid);
}

Result<std::shared_ptr<const StreamInfo>> LocalStreamService::find_stream(
    std::string_view name) const {
    const auto& streams = catalog_.view()->streams;
    const auto found = streams.find(name);
    if (found == streams.end())
        return fail(Errc::NotFound, fmt::format("Stream {} not found.", name));
    return found->second;
}

std::shared_ptr<const CatalogView> LocalStreamService::catalog() const { return catalog_.view(); }

Task<Status> LocalStreamService::set_retention(std::string name, RetentionChange change) {
    auto edit = [change](StreamInfo& stream, Catalog::UidSource&) -> Status {
        stream.retention = change.retention.value_or(stream.retention);
        stream.max_bytes = change.max_bytes.value_or(stream.max_bytes);
        return check_retention(stream.retention, stream.max_bytes, stream.shards.size());
    };
    auto tell = [this](StreamPtr changed) { return tell_log(std::move(changed)); };
    CO_TRY(co_await catalog_.change(std::move(name), std::move(edit), std::move(tell)));
    co_return Status{};
}

Task<Status> LocalStreamService::edit_tags(std::string name, std::map<std::string, std::string> set,
                                           std::vector<std::string> remove) {
    CO_TRY(check_tags(set));
    auto edit = [set = std::move(set), remove = std::move(remove)](StreamInfo& stream,
                                                                   Catalog::UidSource&) -> Status {
        return edit_tags_of(stream.tags, set, remove);
    };
    CO_TRY(co_await catalog_.change(std::move(name), std::move(edit), nullptr));
    co_return Status{};
}

}  // namespace tidemill

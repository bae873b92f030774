// LocalStreamService: streams made, found, changed and deleted.
#include <fmt/format.h>

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
    stream.tags = std::move(request.tags);
    const bool is_encrypted = request.encryption == EncryptionWish::AsConfigured
                                  ? encryption_.is_default
                                  : request.encryption == EncryptionWish::On;
    if (is_encrypted) CO_TRY(add_data_key(stream));
    auto tell = [this](StreamPtr made) { return tell_log(std::move(made)); };
    co_return co_await catalog_.create(std::move(stream), request.shard_count, std::move(tell));
}

Task<Status> LocalStreamService::delete_stream(std::string name) {
    CO_ASSIGN(const StreamPtr removed, co_await catalog_.remove(std::move(name)));
    std::vector<std::pair<ShardUid, ShardPolicy>> shards;
    for (const auto& shard : removed->shards)
        shards.emplace_back(shard.uid, policy_of(*removed, true));
    if (removed->reshard)
        for (const auto& shard : removed->reshard->added)
            shards.emplace_back(shard.uid, policy_of(*removed, true));
    CO_TRY(co_await log_.configure_shards(std::move(shards)));
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

Task<Status> LocalStreamService::set_retention(std::string name, std::chrono::hours retention) {
    if (retention < service_limits::kRetentionMin || retention > service_limits::kRetentionMax)
        co_return fail(Errc::InvalidArgument,
                       fmt::format("Retention is between {} and {} hours; {} were asked for.",
                                   service_limits::kRetentionMin.count(),
                                   service_limits::kRetentionMax.count(), retention.count()));
    auto edit = [retention](StreamInfo& stream, Catalog::UidSource&) -> Status {
        stream.retention = retention;
        return {};
    };
    auto tell = [this](StreamPtr changed) { return tell_log(std::move(changed)); };
    CO_TRY(co_await catalog_.change(std::move(name), std::move(edit), std::move(tell)));
    co_return Status{};
}

Task<Status> LocalStreamService::edit_tags(std::string name, std::map<std::string, std::string> set,
                                           std::vector<std::string> remove) {
    auto edit = [set = std::move(set), remove = std::move(remove)](StreamInfo& stream,
                                                                   Catalog::UidSource&) -> Status {
        for (const auto& [key, value] : set)
            stream.tags[key] = value;
        for (const auto& key : remove)
            stream.tags.erase(key);
        return check_tags(stream.tags);
    };
    CO_TRY(co_await catalog_.change(std::move(name), std::move(edit), nullptr));
    co_return Status{};
}

}  // namespace tidemill

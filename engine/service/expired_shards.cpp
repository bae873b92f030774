// LocalStreamService: closed shards whose last record has expired leave their stream.
#include <algorithm>

#include "engine/reactor/call_on.h"
#include "engine/service/checkpoint_format.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/reshard_timing.h"
#include "engine/service/stream_rules.h"
#include "engine/telemetry/log.h"

namespace tidemill {
namespace {

/// No record is younger than the moment when the shard was closed.
bool is_expired(const StreamInfo& stream, const ShardInfo& shard, WallTime now) {
    return !shard.is_open() && *shard.closed + stream.retention < now;
}

}  // namespace

Task<void> LocalStreamService::forget_expired_shards() {
    while (co_await gate_.sleep_until(home().clock().mono_now() + reshard_timing::kForgetEvery)) {
        const auto view = catalog_.view();
        const WallTime now = home().clock().wall_now();
        for (const auto& [name, stream] : view->streams) {
            const auto is_done = [&](const ShardInfo& shard) {
                return is_expired(*stream, shard, now);
            };
            if (std::ranges::any_of(stream->shards, is_done))
                co_await forget_expired_shards_of(stream);
            if (gate_.is_closed()) co_return;
        }
    }
}

/// The catalog first: a shard that it has forgotten does not exist for the log after a restart.
Task<void> LocalStreamService::forget_expired_shards_of(StreamPtr stream) {
    std::vector<ShardInfo> gone;
    auto edit = [this, &stream, &gone](StreamInfo& now, Catalog::UidSource&) -> Status {
        if (now.uid != stream->uid) return fail(Errc::NotFound, "another stream by now");
        const WallTime time = home().clock().wall_now();
        std::vector<ShardInfo> kept;
        for (const auto& shard : now.shards)
            (is_expired(now, shard, time) ? gone : kept).push_back(shard);
        now.shards = std::move(kept);
        return {};
    };
    const auto changed = co_await catalog_.change(stream->name, std::move(edit), nullptr);
    if (!changed || gone.empty()) co_return;  // looked for again
    std::vector<std::pair<ShardUid, ShardPolicy>> policies;
    for (const auto& shard : gone)
        policies.emplace_back(shard.uid, ShardPolicy{.is_deleted = true});
    if ((*changed)->max_bytes != 0)  // fewer shards share it now
        for (const auto& shard : (*changed)->shards)
            policies.emplace_back(shard.uid, policy_of(**changed));
    (void)co_await log_.configure_shards(std::move(policies));
    reshard_stats_.shards_expired += gone.size();
    log::info("shards_expired", {{"stream", stream->name}, {"shards", gone.size()}});

    const auto rows = co_await store_.scan(kLeaseSpace, lease_prefix(stream->uid));
    if (!rows) co_return;
    std::vector<CatalogWrite> writes;
    for (const auto& row : *rows) {
        const auto lease = decode_checkpoint(row.value);
        if (lease && std::ranges::find(gone, lease->shard_index, &ShardInfo::index) != gone.end())
            writes.push_back({kLeaseSpace, row.key, std::nullopt, std::nullopt});
    }
    if (!writes.empty()) (void)co_await store_.commit(std::move(writes));
}

}  // namespace tidemill

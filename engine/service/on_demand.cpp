// LocalStreamService: how busy shards are, and streams in ON_DEMAND mode that change their shards
// by it (docs/decisions/0011-on-demand.md).
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "engine/reactor/call_on.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/stream_rules.h"
#include "engine/telemetry/log.h"

namespace tidemill {
namespace {

constexpr std::chrono::milliseconds kLookEvery{500};

std::string listed(const std::vector<std::uint32_t>& indexes) {
    std::string text;
    for (const auto index : indexes)
        text += fmt::format("{}{}", text.empty() ? "" : ",", index);
    return text;
}

}  // namespace

/// As long as the service runs.
Task<void> LocalStreamService::watch_usage() {
    MonoTime last = home().clock().mono_now();
    while (co_await gate_.sleep_until(last + kLookEvery)) {
        for (Reactor* reactor : reactors_) {
            auto collect = [core = &cores_[reactor->id().value]]()
                -> Task<std::vector<ShardMeters::Collected>> { co_return core->meters.collect(); };
            auto collected = co_await call_on(*reactor, std::move(collect));
            keep_watched_keys(collected);
            usage_.add(std::move(collected));
        }
        co_await end_watched_keys();
        const MonoTime now = home().clock().mono_now();
        usage_.tick(now - last);
        last = now;
        if (on_demand_options_.is_on) co_await adapt_streams();
    }
}

/// Streams on demand are looked for when the catalog has changed only.
void LocalStreamService::find_on_demand_streams(const CatalogView& view) {
    if (on_demand_version_ == view.version) return;
    on_demand_version_ = view.version;
    std::map<std::string, OnDemandStream> found;
    for (const auto& [name, stream] : view.streams) {
        if (stream->mode != StreamMode::OnDemand) continue;
        const auto known = on_demand_.find(name);
        if (known != on_demand_.end() && known->second.stream == stream->uid)
            found.emplace(name, std::move(known->second));
        else
            found.emplace(name, OnDemandStream{stream->uid, {}, {}});
    }
    on_demand_ = std::move(found);
}

Task<void> LocalStreamService::adapt_streams() {
    const auto view = catalog_.view();
    find_on_demand_streams(*view);
    on_demand_stats_.streams = on_demand_.size();
    for (auto& [name, state] : on_demand_) {
        if (gate_.is_closed()) co_return;
        const auto found = view->streams.find(name);
        if (found != view->streams.end()) co_await adapt_stream(found->second, state);
    }
}

std::uint32_t LocalStreamService::on_demand_floor(const StreamInfo& stream) const {
    return std::max(on_demand_options_.shards_min, warm_shards(stream.warm_mib_per_second));
}

Task<void> LocalStreamService::adapt_stream(StreamPtr stream, OnDemandStream& state) {
    const MonoTime now = home().clock().mono_now();
    if (stream->status != StreamStatus::Active || now < state.wait_until) co_return;
    const std::uint32_t floor = on_demand_floor(*stream);
    const auto is_idle = [&](std::uint32_t position) {
        return usage_.is_idle(stream->shards[position].uid);
    };
    if (state.policy.is_settled(stream->open.size(), floor) &&
        std::ranges::all_of(stream->open, is_idle))
        co_return;
    std::vector<ShardLoad> shards;
    std::vector<std::pair<ShardUid, bool>> sampling;
    shards.reserve(stream->open.size());
    for (const std::uint32_t position : stream->open) {
        const ShardInfo& shard = stream->shards[position];
        const ShardRates rates = usage_.rates(shard.uid);
        // Where records are spread evenly their keys say nothing: such shards are halved.
        const bool is_busy =
            stream->distribution == RecordDistribution::ByKey &&
            OnDemandPolicy::load_of(rates, on_demand_options_) >= OnDemandPolicy::kSampleFrom;
        const bool is_wanted = is_busy || watched_keys_.contains(shard.uid);
        if (is_wanted != sampled_.contains(shard.uid)) sampling.emplace_back(shard.uid, is_wanted);
        shards.push_back({shard.index, shard.range, rates, {}});
        if (is_busy) shards.back().keys = usage_.keys(shard.uid);
    }
    if (!sampling.empty()) co_await change_sampling(std::move(sampling));
    auto decision = state.policy.decide(shards, floor, on_demand_options_, now);
    for (const auto index : decision.one_key) {
        ++on_demand_stats_.one_key;
        log::warn("on_demand_one_hot_key",
                  {{"stream", stream->name},
                   {"shard", shard_id_text(index)},
                   {"meaning", "nearly all of its records have one hash key: no split helps"}});
    }
    if (decision.changes.empty()) co_return;
    auto plan = [changes = decision.changes](const StreamInfo& at, WallTime time) {
        return plan_changes(at, changes, time);
    };
    const auto changed = co_await reshard_at_home(stream->name, std::move(plan));
    if (!changed) {
        ++on_demand_stats_.failed;
        state.wait_until = home().clock().mono_now() + std::chrono::seconds{5};
        log::warn("on_demand_not_changed", {{"stream", stream->name}, {"error", changed.error()}});
        co_return;
    }
    std::vector<std::pair<ShardUid, bool>> closed;
    for (const auto index : decision.splits)
        if (const auto* shard = stream->shard_by_index(index); sampled_.contains(shard->uid))
            closed.emplace_back(shard->uid, false);
    co_await change_sampling(std::move(closed));
    on_demand_stats_.splits += decision.splits.size();
    on_demand_stats_.merges += decision.changes.size() - decision.splits.size();
    log::info("on_demand", {{"stream", stream->name},
                            {"split", listed(decision.splits)},
                            {"merged_pairs", decision.changes.size() - decision.splits.size()},
                            {"open", (*changed)->open.size()}});
}

Task<void> LocalStreamService::change_sampling(std::vector<std::pair<ShardUid, bool>> changes) {
    for (const auto& [shard, is_wanted] : changes)
        is_wanted ? void(sampled_.insert(shard)) : void(sampled_.erase(shard));
    for (Reactor* reactor : reactors_) {
        auto change = [core = &cores_[reactor->id().value], changes]() -> Task<void> {
            for (const auto& [shard, is_wanted] : changes)
                core->meters.sample(shard, is_wanted);
            co_return;
        };
        co_await call_on(*reactor, std::move(change));
    }
}

void LocalStreamService::keep_watched_keys(std::vector<ShardMeters::Collected>& collected) {
    if (watched_keys_.empty()) return;
    for (auto& one : collected) {
        const auto watched = watched_keys_.find(one.shard);
        if (watched == watched_keys_.end()) continue;
        auto& kept = watched->second.keys;
        const auto room = kSampledKeysMax - std::min(kept.size(), kSampledKeysMax);
        const auto count = std::min(room, one.new_keys.size());
        kept.insert(kept.end(), std::move_iterator(one.new_keys.begin()),
                    std::move_iterator(one.new_keys.begin() + static_cast<std::ptrdiff_t>(count)));
    }
}

/// A stream on demand goes on sampling what it wants for itself at its next look.
Task<void> LocalStreamService::end_watched_keys() {
    const MonoTime now = home().clock().mono_now();
    std::vector<std::pair<ShardUid, bool>> ended;
    for (const auto& [shard, watched] : watched_keys_)
        if (watched.until < now) ended.emplace_back(shard, false);
    for (const auto& [shard, is_wanted] : ended)
        watched_keys_.erase(shard);
    if (!ended.empty()) co_await change_sampling(std::move(ended));
}

Task<Result<std::vector<SampledKey>>> LocalStreamService::sampled_keys(std::string name) {
    auto take = [this, name = std::move(name)]() -> Task<Result<std::vector<SampledKey>>> {
        CO_ASSIGN(const StreamPtr stream, find_stream(name));
        std::vector<SampledKey> keys;
        std::vector<std::pair<ShardUid, bool>> begun;
        for (const std::uint32_t position : stream->open) {
            const auto shard = stream->shards[position].uid;
            auto& watched = watched_keys_[shard];
            watched.until = home().clock().mono_now() + kKeysWatched;
            if (!sampled_.contains(shard)) begun.emplace_back(shard, true);
            for (auto& key : std::exchange(watched.keys, {}))
                if (keys.size() < kSampledKeysMax) keys.push_back(std::move(key));
        }
        if (!begun.empty()) co_await change_sampling(std::move(begun));
        co_return keys;
    };
    co_return co_await call_on(home(), std::move(take));
}

Task<Result<std::vector<ShardRates>>> LocalStreamService::shard_rates(std::string name) {
    auto read = [this, name = std::move(name)]() -> Task<Result<std::vector<ShardRates>>> {
        CO_ASSIGN(const StreamPtr stream, find_stream(name));
        std::vector<ShardRates> rates;
        rates.reserve(stream->shards.size());
        for (const auto& shard : stream->shards)
            rates.push_back(usage_.rates(shard.uid));
        co_return rates;
    };
    co_return co_await call_on(home(), std::move(read));
}

}  // namespace tidemill

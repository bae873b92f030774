#include "engine/usage/watched_shards.h"

#include "engine/reactor/call_on.h"

namespace tidemill {

void ShardCounts::merge(const ShardCounts& other) {
    incoming_bytes += other.incoming_bytes;
    incoming_records += other.incoming_records;
    outgoing_bytes += other.outgoing_bytes;
    outgoing_records += other.outgoing_records;
    writes_refused += other.writes_refused;
    reads_refused += other.reads_refused;
    if (other.last_read < last_read) return;
    iterator_age = other.iterator_age;
    last_read = other.last_read;
}

WatchedShards::WatchedShards(std::vector<Reactor*> reactors)
    : reactors_(std::move(reactors)), cores_(reactors_.size()) {}

void WatchedShards::follow(Core& core, const CatalogView& view) {
    core.version = view.version;
    std::unordered_map<ShardUid, ShardCounts> counts;
    for (const auto& [name, stream] : view.streams) {
        if (stream->shard_metrics == 0) continue;
        for (const auto& shard : stream->shards) {
            const auto known = core.counts.find(shard.uid);
            counts[shard.uid] = known != core.counts.end() ? known->second : ShardCounts{};
        }
    }
    core.counts = std::move(counts);
}

ShardCounts* WatchedShards::find(ShardUid shard, const CatalogView& view) {
    Core& core = cores_[Reactor::current().id().value];
    if (core.version != view.version) follow(core, view);
    if (core.counts.empty()) return nullptr;
    const auto found = core.counts.find(shard);
    return found == core.counts.end() ? nullptr : &found->second;
}

Task<std::map<ShardUid, ShardCounts>> WatchedShards::collect() {
    using Counts = std::unordered_map<ShardUid, ShardCounts>;
    std::map<ShardUid, ShardCounts> sums;
    for (Reactor* reactor : reactors_) {
        auto read = [core = &cores_[reactor->id().value]]() -> Task<Counts> {
            co_return core->counts;
        };
        for (const auto& [shard, counts] : co_await call_on(*reactor, std::move(read)))
            sums[shard].merge(counts);
    }
    co_return sums;
}

}  // namespace tidemill

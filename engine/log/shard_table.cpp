#include "engine/log/shard_table.h"

namespace tidemill {

void ShardTable::publish(const DirectoryEntry& entry, std::int64_t commit_arrival_ms,
                         std::uint32_t epoch) {
    auto& state = get(entry.shard);
    if (entry.is_control()) {
        if (entry.bytes == static_cast<std::uint32_t>(Control::Seal)) state.is_sealed = true;
        if (entry.bytes == static_cast<std::uint32_t>(Control::Trim)) {
            state.trim_in_log = std::max(state.trim_in_log, entry.first_ordinal);
            if (entry.first_ordinal > state.trim) {
                state.trim = entry.first_ordinal;
                state.trim_arrival_ms = -1;
            }
        }
        if (entry.bytes == static_cast<std::uint32_t>(Control::End)) {
            state.end = state.durable_end = std::max(state.end, entry.first_ordinal);
            state.next = std::max(state.next, state.end);
            state.epoch = std::max(state.epoch, entry.check);
            state.last_arrival_ms = state.durable_arrival_ms = std::max(
                state.last_arrival_ms, commit_arrival_ms + std::int64_t{entry.arrival_delta});
        }
        return;
    }
    state.end = std::max(state.end, entry.first_ordinal + entry.count);
    state.next = std::max(state.next, state.end);
    state.last_arrival_ms =
        std::max(state.last_arrival_ms, commit_arrival_ms + std::int64_t{entry.arrival_delta});
    state.epoch = std::max(state.epoch, epoch);
}

void ShardTable::learn(const DirectoryEntry& entry, std::int64_t commit_arrival_ms,
                       std::uint32_t epoch) {
    publish(entry, commit_arrival_ms, epoch);
    if (entry.is_control()) return;
    auto& state = get(entry.shard);
    state.durable_end = std::max(state.durable_end, entry.first_ordinal + entry.count);
    state.durable_arrival_ms =
        std::max(state.durable_arrival_ms, commit_arrival_ms + std::int64_t{entry.arrival_delta});
}

void ShardTable::learn(const ShardEndEntry& entry) {
    auto& state = get(entry.shard);
    state.end = state.durable_end = state.next = entry.end;
    state.trim = state.trim_in_log = std::min(entry.trim, entry.end);
    state.last_arrival_ms = state.durable_arrival_ms = entry.last_arrival_ms;
    state.epoch = std::max(state.epoch, entry.epoch);
    state.is_sealed = (entry.flags & kShardSealed) != 0;
}

void ShardTable::forget_log() {
    for (auto& [shard, state] : states_) {
        state.next = state.end = state.durable_end = state.trim = state.trim_in_log = 0;
        state.last_arrival_ms = state.durable_arrival_ms = 0;
        state.trim_arrival_ms = -1;
        state.is_sealed = state.is_sealing = false;
        state.runs.clear();
    }
}

// Durability `memory`: trims and seals of what is not durable yet come again with it, or a record
// that takes its ordinal would be behind a trim, or in a shard that is closed.
std::vector<ShardEndEntry> ShardTable::ends() {
    std::vector<ShardEndEntry> ends;
    ends.reserve(states_.size());
    for (const auto& [shard, state] : states_)
        if (state.ever_held_anything())
            ends.push_back(
                {shard, state.epoch, state.durable_end, std::min(state.trim, state.durable_end),
                 state.durable_arrival_ms,
                 (state.is_sealed && state.durable_end == state.end ? kShardSealed : 0u) |
                     (is_gone(shard) ? kShardGone : 0u),
                 0});
    std::ranges::sort(ends, {}, &ShardEndEntry::shard);
    return ends;
}

}  // namespace tidemill

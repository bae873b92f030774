#include "engine/query/output_numbers.h"

#include <algorithm>
#include <random>

namespace tidemill::query {
namespace {

/// Numbers wrap: `a` is before `b` when the way forward is the shorter one.
bool is_before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

std::uint64_t random_producer() {
    std::random_device device;
    const std::uint64_t id = (std::uint64_t{device()} << 32) | device();
    return id == 0 ? 1 : id;
}

bool is_parent(const ShardInfo& shard, std::uint32_t index) {
    return shard.parent == index || shard.adjacent_parent == index;
}

}  // namespace

OutputNumbers::OutputNumbers(OutputPosition from)
    : producer_(from.producer != 0 ? from.producer : random_producer()) {
    if (from.producer == 0) return;
    for (const auto& number : from.shards) {
        numbers_[number.shard] = {number.next, number.next};
        roots_.push_back(number.shard);
    }
}

const ShardInfo* OutputNumbers::first_shard(const StreamInfo& stream, uint128 hash) const {
    for (const auto& shard : stream.shards)
        if (shard.range.contains(hash) && std::ranges::find(roots_, shard.uid) != roots_.end())
            return &shard;
    return &stream.shard_for(hash);
}

OutputNumbers::Place OutputNumbers::place(const StreamInfo& stream, uint128 hash) {
    // Nearly always: nothing was split since the rows began here.
    const ShardInfo* shard = &stream.shard_for(hash);
    if (!roots_.empty() && std::ranges::find(roots_, shard->uid) == roots_.end())
        shard = first_shard(stream, hash);
    for (;;) {
        const auto& number = numbers_[shard->uid];
        if (is_before(number.next, number.stored)) return {shard, true};
        if (shard->is_open()) return {shard, false};
        const auto child = std::ranges::find_if(stream.shards, [&](const ShardInfo& other) {
            return is_parent(other, shard->index) && other.range.contains(hash);
        });
        // Children that are gone have nothing left to say.
        if (child == stream.shards.end()) return {&stream.shard_for(hash), false};
        shard = &*child;
    }
}

std::uint32_t OutputNumbers::next(ShardUid shard) const {
    const auto found = numbers_.find(shard);
    return found == numbers_.end() ? 0 : found->second.next;
}

Task<Status> OutputNumbers::ask(StreamService& service, ShardUid shard) {
    const auto position = co_await service.producer_position(shard, producer_);
    if (!position && position.error().code == Errc::NotFound) co_return Status{};
    if (!position) co_return std::unexpected(position.error());
    // A log that has forgotten the producer says nothing: then the checkpoint counts.
    if (position->is_known) know(shard, position->next_sequence);
    co_return Status{};
}

void OutputNumbers::know(ShardUid shard, std::uint32_t stored) {
    auto& number = numbers_[shard];
    if (is_before(number.stored, stored)) number.stored = stored;
}

Task<Status> OutputNumbers::ask_all(StreamService& service, const StreamInfo& stream) {
    if (roots_.empty()) co_return Status{};
    std::vector<ShardUid> wanted = roots_;
    for (const auto& shard : stream.shards)
        for (const auto& parent : stream.shards)
            if (is_parent(shard, parent.index) &&
                std::ranges::find(wanted, parent.uid) != wanted.end() &&
                std::ranges::find(wanted, shard.uid) == wanted.end())
                wanted.push_back(shard.uid);
    for (const auto shard : wanted)
        CO_TRY(co_await ask(service, shard));
    co_return Status{};
}

OutputPosition OutputNumbers::settle(const StreamInfo& stream) {
    OutputPosition position{producer_, {}};
    std::map<ShardUid, Number> kept;
    roots_.clear();
    for (const auto& shard : stream.shards) {
        if (!shard.is_open()) continue;
        const auto number = numbers_[shard.uid];
        position.shards.push_back({shard.uid, number.next});
        kept[shard.uid] = number;
        roots_.push_back(shard.uid);
    }
    numbers_ = std::move(kept);
    return position;
}

}  // namespace tidemill::query

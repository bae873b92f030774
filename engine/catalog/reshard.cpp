#include "engine/catalog/reshard.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/check.h"

namespace tidemill {
namespace {

/// A shard from which a new one takes keys over, and which of its keys.
struct Origin {
    std::uint32_t index = 0;
    HashRange range;
    WallTime created_before{};  // a shard made from it is created then or later
};

Origin origin_of(const ShardInfo& shard) {
    const auto second = std::chrono::floor<std::chrono::seconds>(shard.created);
    return {shard.index, shard.range, second + std::chrono::seconds{1}};
}

std::uint32_t next_index(const StreamInfo& stream) { return stream.shards.back().index + 1; }

ShardInfo child_of(const Origin& parent, std::uint32_t index, HashRange range, WallTime now) {
    ShardInfo child;
    child.index = index;
    child.range = range;
    child.parent = parent.index;
    child.created = std::max(now, parent.created_before);
    return child;
}

ShardInfo child_of(const Origin& parent, const Origin& adjacent, std::uint32_t index,
                   WallTime now) {
    const HashRange range{std::min(parent.range.first, adjacent.range.first),
                          std::max(parent.range.last, adjacent.range.last)};
    ShardInfo child = child_of(parent, index, range, now);
    child.adjacent_parent = adjacent.index;
    child.created = std::max(child.created, adjacent.created_before);
    return child;
}

Result<const ShardInfo*> open_shard(const StreamInfo& stream, std::uint32_t index) {
    const ShardInfo* shard = stream.shard_by_index(index);
    if (shard == nullptr)
        return fail(Errc::NotFound, fmt::format("Could not find shard {} in stream {}.",
                                                shard_id_text(index), stream.name));
    if (!shard->is_open())
        return fail(Errc::InvalidArgument,
                    fmt::format("Shard {} in stream {} is closed: it has been split or merged.",
                                shard_id_text(index), stream.name));
    return shard;
}

/// The open shards whose ranges a target touches, each cut to the target. `at` is the first that
/// may touch it, and moves on.
std::vector<Origin> origins_of(const StreamInfo& stream, const HashRange& target, std::size_t& at) {
    std::vector<Origin> origins;
    while (true) {
        Origin origin = origin_of(stream.shards[stream.open[at]]);
        const uint128 last = origin.range.last;
        origin.range.first = std::max(origin.range.first, target.first);
        origin.range.last = std::min(last, target.last);
        origins.push_back(origin);
        if (last <= target.last) ++at;
        if (last >= target.last) return origins;
    }
}

/// Even ranges, but for rounding: where a boundary stands already it stays, else three shards made
/// of six would each take a few keys of a third one over.
std::vector<HashRange> ranges_near(const StreamInfo& stream, std::uint32_t count) {
    constexpr uint128 kNear = uint128{1} << 64;  // of 2^114 and more to a shard
    auto ranges = split_evenly(count);
    auto at = stream.open.begin();
    const auto start_of = [&](auto open) { return stream.shards[*open].range.first; };
    for (std::size_t i = 1; i < ranges.size(); ++i) {
        const uint128 wanted = ranges[i].first;
        while (at != stream.open.end() && start_of(at) < wanted - kNear)
            ++at;
        if (at == stream.open.end() || start_of(at) > wanted + kNear) continue;
        ranges[i].first = start_of(at);
        ranges[i - 1].last = ranges[i].first - 1;
    }
    return ranges;
}

/// Neighbours in pairs, level by level, until two are left.
void join_down_to_two(std::vector<Origin>& origins, std::vector<ShardInfo>& between,
                      std::uint32_t& index, WallTime now) {
    while (origins.size() > 2) {
        std::vector<Origin> level;
        for (std::size_t i = 0; i + 1 < origins.size(); i += 2) {
            ShardInfo step = child_of(origins[i], origins[i + 1], index++, now);
            step.closed = step.created;
            // It never holds a record, so what comes from it may be as old.
            level.push_back({step.index, step.range, step.created});
            between.push_back(std::move(step));
        }
        if (origins.size() % 2 != 0) level.push_back(origins.back());
        origins = std::move(level);
    }
}

}  // namespace

bool may_split_at(const HashRange& range, uint128 key) {
    return key > range.first && key - range.first > 1 && key < range.last;
}

uint128 middle_key(const HashRange& range) {
    return range.first + (range.last - range.first) / 2 + 1;
}

bool is_followed_by(const HashRange& range, const HashRange& next) {
    return range.last != kUint128Max && range.last + 1 == next.first;
}

Result<Reshard> plan_split(const StreamInfo& stream, std::uint32_t shard_index, uint128 key,
                           WallTime now) {
    ASSIGN(const ShardInfo* shard, open_shard(stream, shard_index));
    if (!may_split_at(shard->range, key))
        return fail(Errc::InvalidArgument,
                    fmt::format("The hash key {} is not both greater than one plus the first hash "
                                "key {} of shard {} and less than its last one, {}.",
                                to_decimal(key), to_decimal(shard->range.first),
                                shard_id_text(shard_index), to_decimal(shard->range.last)));
    const Origin parent = origin_of(*shard);
    const std::uint32_t index = next_index(stream);
    Reshard plan;
    plan.closing = {shard_index};
    plan.added.push_back(child_of(parent, index, {shard->range.first, key - 1}, now));
    plan.added.push_back(child_of(parent, index + 1, {key, shard->range.last}, now));
    return plan;
}

Result<Reshard> plan_merge(const StreamInfo& stream, std::uint32_t shard_index,
                           std::uint32_t adjacent_index, WallTime now) {
    ASSIGN(const ShardInfo* shard, open_shard(stream, shard_index));
    ASSIGN(const ShardInfo* adjacent, open_shard(stream, adjacent_index));
    if (!is_followed_by(shard->range, adjacent->range) &&
        !is_followed_by(adjacent->range, shard->range))
        return fail(
            Errc::InvalidArgument,
            fmt::format("Shards {} and {} in stream {} are not an adjacent pair of shards "
                        "eligible for merging.",
                        shard_id_text(shard_index), shard_id_text(adjacent_index), stream.name));
    Reshard plan;
    plan.closing = {std::min(shard_index, adjacent_index), std::max(shard_index, adjacent_index)};
    plan.added.push_back(
        child_of(origin_of(*shard), origin_of(*adjacent), next_index(stream), now));
    return plan;
}

Result<Reshard> plan_scale(const StreamInfo& stream, std::uint32_t count, WallTime now) {
    if (count == 0) return fail(Errc::InvalidArgument, "A stream has at least one shard.");
    const auto targets = ranges_near(stream, count);
    std::vector<std::vector<Origin>> origins;
    std::vector<std::uint32_t> kept;
    std::size_t at = 0;
    for (const HashRange& target : targets) {
        const ShardInfo& shard = stream.shards[stream.open[at]];
        if (shard.range == target) {
            kept.push_back(shard.index);
            ++at;
            continue;
        }
        origins.push_back(origins_of(stream, target, at));
    }
    Reshard plan;
    std::ranges::sort(kept);
    for (const ShardInfo& shard : stream.shards)
        if (shard.is_open() && !std::ranges::binary_search(kept, shard.index))
            plan.closing.push_back(shard.index);
    // First all steps in between, so that the shards that stay follow each other by their ranges.
    std::uint32_t index = next_index(stream);
    for (auto& group : origins)
        join_down_to_two(group, plan.added, index, now);
    for (const auto& group : origins) {
        plan.added.push_back(group.size() == 1 ? child_of(group[0], index, group[0].range, now)
                                               : child_of(group[0], group[1], index, now));
        ++index;
    }
    return plan;
}

Result<Reshard> plan_changes(const StreamInfo& stream, const std::vector<ShardChange>& changes,
                             WallTime now) {
    Reshard plan;
    for (const ShardChange& change : changes) {
        ASSIGN(const Reshard one,
               change.key ? plan_split(stream, change.shard_index, *change.key, now)
                          : plan_merge(stream, change.shard_index, change.adjacent_index, now));
        plan.closing.insert(plan.closing.end(), one.closing.begin(), one.closing.end());
        plan.added.insert(plan.added.end(), one.added.begin(), one.added.end());
    }
    std::ranges::sort(plan.closing);
    if (std::ranges::adjacent_find(plan.closing) != plan.closing.end())
        return fail(Errc::InvalidArgument,
                    fmt::format("A shard of stream {} would be changed twice.", stream.name));
    std::uint32_t index = next_index(stream);
    for (auto& shard : plan.added)
        shard.index = index++;
    return plan;
}

void finish_reshard(StreamInfo& stream, const std::vector<Ordinal>& ends, WallTime closed) {
    TM_CHECK(stream.reshard && stream.reshard->closing.size() == ends.size(), "of stream {}",
             stream.name);
    Reshard plan = std::move(*stream.reshard);
    stream.reshard.reset();
    auto shard = stream.shards.begin();
    for (std::size_t i = 0; i < ends.size(); ++i) {
        while (shard != stream.shards.end() && shard->index != plan.closing[i])
            ++shard;
        TM_CHECK(shard != stream.shards.end(), "shard {} of stream {} is gone", plan.closing[i],
                 stream.name);
        shard->closed = closed;
        shard->end_ordinal = ends[i];
    }
    stream.shards.insert(stream.shards.end(), plan.added.begin(), plan.added.end());
    stream.status = StreamStatus::Active;
    stream.index_open_shards();
}

}  // namespace tidemill

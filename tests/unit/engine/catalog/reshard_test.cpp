#include "engine/catalog/reshard.h"

#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "engine/catalog/stream_format.h"

using namespace tidemill;

namespace {

const WallTime kStart = from_millis(1'700'000'000'900);

StreamInfo stream_of(const std::vector<HashRange>& ranges) {
    StreamInfo stream;
    stream.uid = StreamUid{3};
    stream.name = "s";
    stream.created = kStart;
    for (std::uint32_t i = 0; i < ranges.size(); ++i) {
        ShardInfo& shard = stream.shards.emplace_back();
        shard.uid = ShardUid{100 + i};
        shard.index = i;
        shard.range = ranges[i];
        shard.created = kStart;
    }
    stream.index_open_shards();
    return stream;
}

StreamInfo even_stream(std::uint32_t shards) { return stream_of(split_evenly(shards)); }

/// Carries a plan out as the service does; every parent ends at its index.
void carry_out(StreamInfo& stream, Reshard plan) {
    std::uint32_t uid = stream.shards.back().uid.value;
    for (auto& shard : plan.added)
        shard.uid = ShardUid{++uid};
    std::vector<Ordinal> ends(plan.closing.begin(), plan.closing.end());
    stream.reshard = std::move(plan);
    stream.status = StreamStatus::Updating;
    finish_reshard(stream, ends, kStart + std::chrono::hours{1});
}

std::int64_t second_of(WallTime time) { return to_millis(time) / 1000; }

/// The shards of `before` that `index` comes from, through empty steps in between.
void ancestors_of(const StreamInfo& before, const StreamInfo& stream, std::uint32_t index,
                  std::set<std::uint32_t>& found) {
    if (!found.insert(index).second || before.shard_by_index(index) != nullptr) return;
    const ShardInfo& shard = *stream.shard_by_index(index);
    for (const auto& parent : {shard.parent, shard.adjacent_parent})
        if (parent) ancestors_of(before, stream, *parent, found);
}

/// What must hold whatever was planned: the open shards cover every key once; a shard comes, near
/// or far, from exactly the shards of `before` whose keys it took over; it is created in a later
/// second than each of them.
void check_layout(const StreamInfo& before, const StreamInfo& after) {
    REQUIRE(!after.open.empty());
    CHECK(after.status == StreamStatus::Active);
    CHECK_FALSE(after.reshard);
    CHECK(std::ranges::is_sorted(after.shards, {}, &ShardInfo::index));
    uint128 next = 0;
    for (const auto position : after.open) {
        const ShardInfo& shard = after.shards[position];
        CHECK(shard.range.first == next);
        next = shard.range.last + 1;
        std::set<std::uint32_t> found;
        ancestors_of(before, after, shard.index, found);
        for (const auto old : before.open) {
            const ShardInfo& parent = before.shards[old];
            if (parent.index == shard.index) continue;
            const bool overlaps =
                parent.range.first <= shard.range.last && shard.range.first <= parent.range.last;
            CHECK(overlaps == found.contains(parent.index));
            if (overlaps) CHECK(second_of(shard.created) > second_of(parent.created));
        }
    }
    CHECK(next == 0);  // one past the last key
    for (const auto& shard : after.shards) {
        if (before.shard_by_index(shard.index) != nullptr || shard.is_open()) continue;
        CHECK(shard.end_ordinal == 0);  // a step in between
        CHECK(shard.parent.has_value());
        CHECK(shard.adjacent_parent.has_value());
    }
}

}  // namespace

TEST_CASE("a split closes its shard and gives each child its side of the key") {
    StreamInfo stream = even_stream(2);
    const StreamInfo before = stream;
    const uint128 key = middle_key(stream.shards[1].range);
    const auto plan = plan_split(stream, 1, key, kStart);
    REQUIRE(plan);
    CHECK(plan->closing == std::vector<std::uint32_t>{1});
    carry_out(stream, *plan);
    check_layout(before, stream);
    REQUIRE(stream.shards.size() == 4);
    CHECK(stream.shards[1].closed == kStart + std::chrono::hours{1});
    CHECK(stream.shards[1].end_ordinal == 1);
    CHECK(stream.shards[2].range == HashRange{before.shards[1].range.first, key - 1});
    CHECK(stream.shards[3].range == HashRange{key, kUint128Max});
    CHECK(stream.shards[2].parent == 1u);
    CHECK_FALSE(stream.shards[2].adjacent_parent);
    CHECK(stream.open == std::vector<std::uint32_t>{0, 2, 3});
}

TEST_CASE("a split needs a key with more than one key on either side") {
    const StreamInfo stream = stream_of({{0, 99}, {100, kUint128Max}});
    for (const uint128 key : {uint128{0}, uint128{1}, uint128{99}, uint128{100}, kUint128Max})
        CHECK(plan_split(stream, 0, key, kStart).error().code == Errc::InvalidArgument);
    CHECK(plan_split(stream, 0, 2, kStart));
    CHECK(plan_split(stream, 0, 98, kStart));
    CHECK(plan_split(stream, 1, kUint128Max, kStart).error().code == Errc::InvalidArgument);
    CHECK(plan_split(stream, 1, 101, kStart).error().code == Errc::InvalidArgument);
    CHECK(plan_split(stream, 7, 50, kStart).error().code == Errc::NotFound);
    CHECK(middle_key({0, kUint128Max}) == uint128{1} << 127);
    CHECK_FALSE(may_split_at({7, 7}, middle_key({7, 7})));
    CHECK_FALSE(may_split_at({7, 8}, middle_key({7, 8})));
}

TEST_CASE("neighbours merge in either order; others, closed ones and the unknown do not") {
    StreamInfo stream = even_stream(3);
    const StreamInfo before = stream;
    CHECK(plan_merge(stream, 0, 2, kStart).error().code == Errc::InvalidArgument);
    CHECK(plan_merge(stream, 0, 0, kStart).error().code == Errc::InvalidArgument);
    CHECK(plan_merge(stream, 0, 9, kStart).error().code == Errc::NotFound);
    const auto plan = plan_merge(stream, 2, 1, kStart);
    REQUIRE(plan);
    CHECK(plan->closing == std::vector<std::uint32_t>{1, 2});
    carry_out(stream, *plan);
    check_layout(before, stream);
    CHECK(stream.shards[3].parent == 2u);
    CHECK(stream.shards[3].adjacent_parent == 1u);
    CHECK(plan_merge(stream, 0, 1, kStart).error().code == Errc::InvalidArgument);
    CHECK(plan_split(stream, 1, middle_key(stream.shards[1].range), kStart).error().code ==
          Errc::InvalidArgument);
}

TEST_CASE("scaling from any count to any other covers every key and keeps the lineage") {
    for (std::uint32_t from = 1; from <= 12; ++from)
        for (std::uint32_t to = 1; to <= 25; ++to) {
            CAPTURE(from);
            CAPTURE(to);
            StreamInfo stream = even_stream(from);
            const StreamInfo before = stream;
            const auto plan = plan_scale(stream, to, kStart);
            REQUIRE(plan);
            if (from == to) {
                CHECK(plan->closing.empty());
                CHECK(plan->added.empty());
                continue;
            }
            carry_out(stream, *plan);
            check_layout(before, stream);
            const auto wanted = split_evenly(to);
            REQUIRE(stream.open.size() == to);
            for (std::uint32_t i = 0; i < to; ++i) {
                const HashRange range = stream.shards[stream.open[i]].range;
                if (from == 1) CHECK(range == wanted[i]);
                // Off by no more than rounding, where a boundary stood there already.
                CHECK(std::max(range.first, wanted[i].first) -
                          std::min(range.first, wanted[i].first) <
                      from * to);
            }
            // Doubling and halving need no steps in between, nor does any growth.
            if (to >= from || from == 2 * to)
                CHECK(std::ranges::all_of(plan->added, &ShardInfo::is_open));
        }
}

TEST_CASE("scaling keeps shards whose range is as wanted") {
    StreamInfo stream = even_stream(4);
    carry_out(stream, *plan_split(stream, 2, middle_key(stream.shards[2].range), kStart));
    const StreamInfo before = stream;
    const auto plan = plan_scale(stream, 4, kStart);
    REQUIRE(plan);
    CHECK(plan->closing == std::vector<std::uint32_t>{4, 5});
    CHECK(plan->added.size() == 1);
    carry_out(stream, *plan);
    check_layout(before, stream);
    CHECK(stream.open == std::vector<std::uint32_t>{0, 1, 6, 3});
}

TEST_CASE("any sequence of changes leaves a whole layout, and its format holds a plan under way") {
    constexpr std::uint64_t kSeed = 20;
    CAPTURE(kSeed);
    Random random(kSeed);
    StreamInfo stream = even_stream(3);
    WallTime now = kStart;
    for (int i = 0; i < 300; ++i) {
        CAPTURE(i);
        now += std::chrono::milliseconds(random.next() % 700) - std::chrono::milliseconds(200);
        const StreamInfo before = stream;
        Result<Reshard> plan = fail(Errc::Internal, "none");
        const auto& open = stream.open;
        const auto at = random.next() % open.size();
        const std::uint32_t index = stream.shards[open[at]].index;
        if (const auto what = random.next() % 5; what < 2)
            plan = plan_split(stream, index, middle_key(stream.shards[open[at]].range), now);
        else if (what < 4)
            plan =
                plan_merge(stream, index, stream.shards[open[(at + 1) % open.size()]].index, now);
        else
            plan = plan_scale(stream, 1 + static_cast<std::uint32_t>(random.next() % 9), now);
        if (!plan || plan->closing.empty()) continue;
        StreamInfo planned = stream;
        planned.reshard = *plan;
        planned.status = StreamStatus::Updating;
        const auto back = decode_stream(encode_stream(planned));
        REQUIRE(back);
        REQUIRE(back->reshard);
        CHECK(back->status == StreamStatus::Updating);
        CHECK(back->reshard->closing == plan->closing);
        REQUIRE(back->reshard->added.size() == plan->added.size());
        for (std::size_t n = 0; n < plan->added.size(); ++n) {
            CHECK(back->reshard->added[n].index == plan->added[n].index);
            CHECK(back->reshard->added[n].range == plan->added[n].range);
            CHECK(back->reshard->added[n].created == plan->added[n].created);
            CHECK(back->reshard->added[n].closed == plan->added[n].closed);
        }
        carry_out(stream, *plan);
        check_layout(before, stream);
    }
}

TEST_CASE("ten thousand shards are planned from one, and one from ten thousand") {
    StreamInfo stream = even_stream(1);
    const StreamInfo one = stream;
    carry_out(stream, *plan_scale(stream, 10'000, kStart));
    CHECK(stream.open.size() == 10'000);
    CHECK(stream.shards.size() == 10'001);
    const auto back = plan_scale(stream, 1, kStart);
    REQUIRE(back);
    CHECK(back->closing.size() == 10'000);
    CHECK(back->added.size() == 9'999);
    // The way through the steps in between is short: a consumer walks it one after the other.
    std::map<std::uint32_t, int> depth;
    int deepest = 0;
    for (const auto& shard : back->added) {
        depth[shard.index] = 1 + std::max(depth[*shard.parent], depth[*shard.adjacent_parent]);
        deepest = std::max(deepest, depth[shard.index]);
    }
    CHECK(deepest == 14);
}

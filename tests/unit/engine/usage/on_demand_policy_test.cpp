#include "engine/usage/on_demand_policy.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "engine/base/hash_key.h"
#include "engine/base/random.h"

using namespace tidemill;

namespace {

constexpr std::chrono::milliseconds kTick{500};

/// Streams of `count` even shards, split and merged as the policy says, with the load that
/// `writes(hash key)` gives each of many sampled keys. A simulated clock moves by ticks.
struct World {
    StreamInfo stream;
    OnDemandPolicy policy;
    OnDemandOptions options;
    MonoTime now{std::chrono::hours{1}};
    Random random{5};
    std::map<std::uint32_t, ShardRates> rates;
    std::uint64_t splits = 0, merges = 0, one_key = 0;
    std::size_t fewest = 10'000, most = 0;

    explicit World(std::uint32_t count = 4) {
        stream.name = "s";
        for (const HashRange& range : split_evenly(count)) {
            ShardInfo shard;
            shard.index = static_cast<std::uint32_t>(stream.shards.size());
            shard.range = range;
            stream.shards.push_back(shard);
        }
        stream.index_open_shards();
    }

    /// `keys`: hash keys that make the load up in equal parts.
    void tick(double bytes_per_second, const std::vector<uint128>& keys) {
        now += kTick;
        std::map<std::uint32_t, std::vector<SampledKey>> sampled;
        for (const uint128 key : keys)
            sampled[stream.shard_for(key).index].push_back({key, 1});
        std::vector<ShardLoad> loads;
        for (const auto position : stream.open) {
            const ShardInfo& shard = stream.shards[position];
            const double share = keys.empty() ? 0
                                              : static_cast<double>(sampled[shard.index].size()) /
                                                    static_cast<double>(keys.size());
            ShardUsage used;
            used.bytes_in = static_cast<std::uint64_t>(
                bytes_per_second * share * std::chrono::duration<double>(kTick).count());
            rates[shard.index].add(used, kTick);
            auto some = sampled[shard.index];
            if (some.size() > 64) some.resize(64);
            loads.push_back({shard.index, shard.range, rates[shard.index], some});
        }
        const auto decision = policy.decide(loads, options.shards_min, options, now);
        one_key += decision.one_key.size();
        splits += decision.splits.size();
        merges += decision.changes.size() - decision.splits.size();
        if (!decision.changes.empty()) {
            auto plan = plan_changes(stream, decision.changes, from_millis(0));
            REQUIRE(plan);
            const std::vector<Ordinal> ends(plan->closing.size());
            stream.reshard = std::move(*plan);
            finish_reshard(stream, ends, from_millis(0));
        }
        fewest = std::min(fewest, stream.open.size());
        most = std::max(most, stream.open.size());
    }
    void run(std::chrono::seconds time, double bytes_per_second, const std::vector<uint128>& keys) {
        for (MonoTime end = now + time; now < end;)
            tick(bytes_per_second, keys);
    }
    std::vector<uint128> spread(std::size_t count) {
        std::vector<uint128> keys;
        for (std::size_t i = 0; i < count; ++i)
            keys.push_back(uint128{random.next()} << 64 | random.next());
        return keys;
    }
};

}  // namespace

TEST_CASE("an even load that grows tenfold is spread over enough shards within seconds") {
    World world;
    const auto keys = world.spread(2000);
    world.run(30s, 10e6, keys);
    CHECK(world.stream.open.size() == 4);  // a third of what makes a shard hot
    world.run(10s, 100e6, keys);
    CHECK(world.stream.open.size() >= 12);
    CHECK(world.stream.open.size() <= 32);
    const std::size_t reached = world.stream.open.size();
    // And then it stays: no shard is hot, no pair cold.
    const auto splits = world.splits;
    world.run(120s, 100e6, keys);
    CHECK(world.stream.open.size() >= reached);
    CHECK(world.splits - splits <= 4);
    CHECK(world.merges == 0);
}

TEST_CASE("a stream that went cold goes back to four shards, and to the ranges it had") {
    World world;
    const auto keys = world.spread(2000);
    world.run(20s, 150e6, keys);
    REQUIRE(world.stream.open.size() > 8);
    world.run(10s, 0, {});
    CHECK(world.merges == 0);  // not at once
    world.run(200s, 0, {});
    CHECK(world.stream.open.size() == 4);
    CHECK(world.fewest == 4);
    const auto even = split_evenly(4);
    for (std::size_t i = 0; i < 4; ++i)
        CHECK(world.stream.shards[world.stream.open[i]].range == even[i]);
}

TEST_CASE("a narrow hot range is split where its keys are, not in the middle of nothing") {
    World world;
    // All keys in one thousandth of the space.
    std::vector<uint128> keys;
    const uint128 base = kUint128Max / 3;
    for (int i = 0; i < 500; ++i)
        keys.push_back(base + (kUint128Max / 1000 >> 64) * world.random.next());
    world.run(15s, 50e6, keys);
    // Halving would take ten splits to come to the range at all.
    CHECK(world.stream.open.size() >= 8);
    CHECK(world.splits <= 24);
    std::map<std::uint32_t, int> of_shard;
    for (const uint128 key : keys)
        ++of_shard[world.stream.shard_for(key).index];
    for (const auto& [index, count] : of_shard)
        CHECK(count * 50e6 / 500 < 2 * world.options.bytes_in);
}

TEST_CASE("one hot key is told once and never split in vain") {
    World world;
    world.run(60s, 50e6, std::vector<uint128>(200, kUint128Max / 3));
    CHECK(world.splits == 0);
    CHECK(world.one_key == 1);
    CHECK(world.stream.open.size() == 4);
}

TEST_CASE("a hot key among others is set apart, and then left alone") {
    World world;
    auto keys = world.spread(100);
    keys.resize(300, kUint128Max / 3);
    world.run(60s, 60e6, keys);
    const std::size_t reached = world.stream.open.size();
    CHECK(reached > 4);
    CHECK(reached <= 16);
    CHECK(world.one_key >= 1);
    const auto splits = world.splits;
    world.run(60s, 60e6, keys);
    CHECK(world.splits == splits);
}

TEST_CASE("a short burst changes nothing, and neither does a load that swings") {
    World world;
    const auto keys = world.spread(1000);
    world.run(1s, 100e6, keys);  // three times what makes shards hot
    world.run(5s, 0, {});
    CHECK(world.splits == 0);
    World swinging;
    for (int i = 0; i < 60; ++i) {
        swinging.run(5s, 90e6, keys);
        swinging.run(5s, 20e6, keys);
    }
    // It settles at what the busy halves need; each split and merge is not paid for twice.
    CHECK(swinging.splits + swinging.merges <= 40);
}

TEST_CASE("bounds hold: never above shards_max, never below the floor") {
    World world;
    world.options.shards_max = 10;
    const auto keys = world.spread(1000);
    world.run(60s, 1e9, keys);
    CHECK(world.most == 10);
    world.options.shards_min = 6;
    world.run(200s, 0, {});
    CHECK(world.stream.open.size() == 6);
}

TEST_CASE("records and reads make a shard hot as well as bytes") {
    const OnDemandOptions options;
    ShardRates rates;
    rates.records_in = 2 * options.records_in;
    CHECK(OnDemandPolicy::load_of(rates, options) == doctest::Approx(2));
    rates = {};
    rates.bytes_out = 3 * options.bytes_out;
    CHECK(OnDemandPolicy::load_of(rates, options) == doctest::Approx(3));
    const auto aws = aws_on_demand(options);
    CHECK(aws.bytes_in == 512 * 1024);
    CHECK(aws.records_in == 500);
    CHECK(aws.bytes_out == 1024 * 1024);
}

TEST_CASE("with too few keys known a hot shard waits for more, and is halved in the end") {
    OnDemandPolicy policy;
    const OnDemandOptions options;
    const MonoTime start{std::chrono::hours{1}};
    ShardLoad hot{.index = 0, .range = {}, .rates = {}, .keys = {{7, 1}, {8, 1}}};
    hot.rates.bytes_in = 2 * options.bytes_in;
    const auto splits_at = [&](std::chrono::milliseconds time) {
        return policy.decide({hot}, 1, options, start + time).splits.size();
    };
    CHECK(splits_at(0ms) == 0);
    CHECK(splits_at(2s) == 0);
    CHECK(splits_at(5s) == 0);
    CHECK(splits_at(6s) == 1);
}

TEST_CASE("without samples a hot shard is halved") {
    const HashRange range{0, kUint128Max};
    const auto point = best_split(range, {});
    REQUIRE(point);
    CHECK(point->key == middle_key(range));
    CHECK_FALSE(point->is_known);
    CHECK_FALSE(best_split({5, 6}, {}));
}

TEST_CASE("the split point divides the weight of the sample") {
    const HashRange range{0, 1'000'000};
    std::vector<SampledKey> keys;
    for (std::uint64_t i = 0; i < 100; ++i)
        keys.push_back({uint128{900'000 + i}, 1});
    keys.push_back({uint128{kUint128Max}, 1000});  // of another shard
    const auto point = best_split(range, keys);
    REQUIRE(point);
    CHECK(point->share == doctest::Approx(0.5));
    CHECK(point->key == 900'050);
    for (auto& key : keys)
        key.hash_key = 900'000;
    const auto none = best_split(range, keys);
    REQUIRE(none);
    CHECK(none->share == doctest::Approx(1));
}

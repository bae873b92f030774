#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "tests/unit/engine/service/service_fixture.h"

using namespace tidemill;

namespace {

UsageOptions quick(LimitsMode mode = LimitsMode::None) {
    UsageOptions usage{.mode = mode};
    usage.on_demand.records_in = 200;
    usage.on_demand.split_after = 1s;
    usage.on_demand.merge_after = 3s;
    return usage;
}

/// Streams under loads of so many records a second, on a clock that the test moves.
struct Fixture : ServiceFixture {
    Random random{3};
    std::uint64_t stored = 0, refused = 0;
    std::size_t most = 0;

    explicit Fixture(UsageOptions options = quick()) : ServiceFixture({}, options) {}

    std::size_t open(std::string_view name = "s") { return find(name)->open.size(); }
    void put(std::size_t count, const HashRange& range) {
        const auto stream = find("s");
        std::vector<PutRecord> records;
        for (std::size_t i = 0; i < count; ++i) {
            const uint128 any = uint128{random.next()} << 64 | random.next();
            const uint128 width = range.last - range.first;
            const uint128 key = width == kUint128Max ? any : range.first + any % (width + 1);
            records.push_back({"k", as_bytes("data"), key});
        }
        for (const auto& outcome : reactor.run(service->put_records(*stream, std::move(records))))
            ++(outcome.append.outcome == Outcome::Committed ? stored : refused);
    }
    void load(std::chrono::milliseconds time, std::size_t per_second, HashRange range = {}) {
        constexpr std::chrono::milliseconds kStep{100};
        for (std::chrono::milliseconds passed{}; passed < time; passed += kStep) {
            put(per_second / 10, range);
            reactor.advance(kStep);
            most = std::max(most, open());
        }
    }
    /// How many open shards take keys of the range.
    std::size_t within(HashRange range) {
        const auto stream = find("s");
        return static_cast<std::size_t>(std::ranges::count_if(stream->open, [&](std::uint32_t at) {
            const HashRange& one = stream->shards[at].range;
            return one.first <= range.last && one.last >= range.first;
        }));
    }
    std::vector<ShardRates> rates() {
        auto rates = reactor.run(service->shard_rates("s"));
        REQUIRE(rates);
        return *rates;
    }
};

}  // namespace

TEST_CASE("a stream on demand splits its hot shards within seconds, and merges them when cold") {
    Fixture f;
    f.create("s", 4, StreamMode::OnDemand);
    f.load(10s, 1000);  // 250 a second into each of four
    CHECK(f.open() == 8);
    CHECK(f.refused == 0);
    const auto rates = f.rates();
    REQUIRE(rates.size() == 12);
    double all = 0;
    for (const auto& one : rates)
        all += one.records_in;
    CHECK(all == doctest::Approx(1000).epsilon(0.1));
    f.reactor.advance(2s);
    CHECK(f.open() == 8);
    f.reactor.advance(60s);
    CHECK(f.open() == 4);
    CHECK(f.rates().back().records_in == 0);
    f.reactor.run_in_turn([&] {
        CHECK(f.service->on_demand_stats().splits == 4);
        CHECK(f.service->on_demand_stats().merges == 4);
    });
}

TEST_CASE("a load on a narrow range is divided where its keys are") {
    Fixture f;
    f.create("s", 4, StreamMode::OnDemand);
    const HashRange narrow{kUint128Max / 3, kUint128Max / 3 + (kUint128Max >> 20)};
    f.load(12s, 1000, narrow);
    CHECK(f.within(narrow) >= 5);
    CHECK(f.open() <= 16);  // halving alone would take 20 splits to come there
    CHECK(f.refused == 0);
}

TEST_CASE("where records are spread evenly, shards are halved whatever the keys") {
    Fixture f;
    CreateStream request;
    request.name = "s";
    request.shard_count = 4;
    request.mode = StreamMode::OnDemand;
    request.distribution = RecordDistribution::Auto;
    REQUIRE(f.create(std::move(request)));
    f.load(10s, 1000, {5, 5});
    CHECK(f.open() == 8);
}

TEST_CASE("streams that are provisioned, or where nothing is to be changed, stay as they are") {
    Fixture f;
    f.create("s", 2);
    f.load(10s, 2000);
    CHECK(f.open() == 2);
    auto off = quick();
    off.on_demand.is_on = false;
    Fixture g(off);
    g.create("s", 4, StreamMode::OnDemand);
    g.load(10s, 2000);
    CHECK(g.open() == 4);
    CHECK(g.rates()[0].records_in > 100);  // measured all the same
}

TEST_CASE("a stream that becomes on demand under load is split, and provisioned again it stays") {
    Fixture f;
    f.create("s", 1);
    f.load(5s, 1000);
    CHECK(f.open() == 1);
    REQUIRE(f.reactor.run(f.service->change_settings("s", {.mode = StreamMode::OnDemand})));
    f.load(20s, 1000);
    const auto reached = f.open();
    CHECK(reached >= 6);
    REQUIRE(f.reactor.run(f.service->change_settings("s", {.mode = StreamMode::Provisioned})));
    f.reactor.advance(60s);
    CHECK(f.open() == reached);
}

TEST_CASE("a warm stream is never merged below what keeps it warm") {
    Fixture f;
    REQUIRE(f.reactor.run(f.service->commit_throughput("", true)));
    f.create("s", 4, StreamMode::OnDemand);
    REQUIRE(f.reactor.run(f.service->change_settings("s", {.warm_mib_per_second = 7})));
    CHECK(f.open() == 7);
    f.load(10s, 3000);
    CHECK(f.most > 7);
    f.reactor.advance(120s);
    CHECK(f.open() == 7);
    REQUIRE(f.reactor.run(f.service->change_settings("s", {.warm_mib_per_second = 0})));
    f.reactor.advance(60s);
    CHECK(f.open() == 4);
}

TEST_CASE("with AWS's limits shards are split before they are throttled") {
    Fixture f(quick(LimitsMode::Aws));
    f.create("s", 4, StreamMode::OnDemand);
    const HashRange one{0, kUint128Max / 5};
    f.load(10s, 800, one);  // a shard takes 1000 a second and is hot from 500 on
    CHECK(f.within(one) == 2);
    CHECK(f.refused == 0);
    f.load(10s, 1600, one);  // twice as much at any time
    CHECK(f.within(one) >= 3);
    CHECK(f.refused == 0);
}

TEST_CASE("layouts changed on demand survive a restart") {
    Fixture f;
    f.create("s", 4, StreamMode::OnDemand);
    f.load(10s, 1000);
    REQUIRE(f.open() == 8);
    f.restart();
    CHECK(f.open() == 8);
    f.load(5s, 1000);
    CHECK(f.open() == 8);
    f.reactor.advance(60s);
    CHECK(f.open() == 4);
}

TEST_CASE("a report tells what is used of what may be") {
    Fixture f(quick(LimitsMode::Aws));
    f.create("s", 4, StreamMode::OnDemand);
    const auto count = [&](std::string stream, std::string_view what) {
        const auto report = f.reactor.run(f.service->limits_report(std::move(stream)));
        REQUIRE(report);
        CHECK(report->mode == LimitsMode::Aws);
        const auto found = std::ranges::find(report->counts, what, &UsageCount::what);
        REQUIRE(found != report->counts.end());
        return *found;
    };
    CHECK(count("", "streams").used == 1);
    CHECK(count("", "open shards").used == 4);
    CHECK(count("", "open shards").limit == 20'000);
    CHECK(count("", "streams on demand").limit == 50);
    CHECK(count("s", "open shards").limit == 256);
    f.load(5s, 400, {5, 5});
    CHECK(count("s", "records/s into the busiest shard").used > 300);
    CHECK(count("s", "records/s into the busiest shard").limit == 1000);
    REQUIRE(f.reactor.run(f.service->change_settings("s", {.mode = StreamMode::Provisioned})));
    CHECK(count("s", "mode switches in 24 hours").used == 1);
    CHECK(count("s", "mode switches in 24 hours").limit == 2);
    CHECK_FALSE(f.reactor.run(f.service->limits_report("none")));
}

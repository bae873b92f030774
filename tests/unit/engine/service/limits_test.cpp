#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/catalog/memory_catalog_store.h"
#include "engine/log/local_log_store.h"
#include "engine/reactor/test_reactor.h"
#include "engine/reactor/test_reactor_group.h"
#include "engine/service/local_stream_service.h"

using namespace tidemill;

namespace {

LogConfig small_log() {
    LogConfig config;
    config.lane_count = 1;
    config.first_segment_bytes = 1_MiB;
    config.segment_bytes = 2_MiB;
    config.block_bytes = 256_KiB;
    config.seed = 7;
    return config;
}

struct Fixture {
    TestReactor reactor;
    MemoryCatalogStore catalog{reactor};
    LocalLogStore log{std::vector<Reactor*>{&reactor}, small_log()};
    std::unique_ptr<LocalStreamService> service;

    explicit Fixture(LimitsMode mode = LimitsMode::Aws) {
        REQUIRE(reactor.run(log.open()));
        auto started = reactor.run(LocalStreamService::start({&reactor}, log, catalog, {}, {mode}));
        REQUIRE(started);
        service = std::move(*started);
    }
    ~Fixture() {
        reactor.run(service->stop());
        reactor.run(log.stop());
    }
    Result<StreamPtr> create(std::string name, std::uint32_t shards,
                             StreamMode mode = StreamMode::Provisioned) {
        CreateStream request;
        request.name = std::move(name);
        request.shard_count = shards;
        request.mode = mode;
        return reactor.run(service->create_stream(request));
    }
    std::vector<PutOutcome> put(const StreamInfo& stream, std::size_t count, uint128 key) {
        std::vector<PutRecord> records(count, {"k", as_bytes("data"), key});
        return reactor.run(service->put_records(stream, std::move(records)));
    }
    std::size_t stored(const std::vector<PutOutcome>& outcomes) {
        std::size_t count = 0;
        for (const auto& outcome : outcomes) {
            if (outcome.append.outcome == Outcome::Committed) {
                ++count;
            } else {
                CHECK(outcome.append.outcome == Outcome::Rejected);
                CHECK(outcome.append.error.code == Errc::Throttled);
                CHECK(outcome.shard != nullptr);
            }
        }
        return count;
    }
};

struct Op : AppendOp {
    bool is_done = false;
};

}  // namespace

TEST_CASE("a shard over its rate refuses record by record; other shards take theirs") {
    Fixture f;
    const auto stream = f.create("s", 2);
    REQUIRE(stream);
    CHECK(f.stored(f.put(**stream, 500, 0)) == 500);
    CHECK(f.stored(f.put(**stream, 500, 0)) == 500);
    CHECK(f.stored(f.put(**stream, 500, 0)) == 0);
    CHECK(f.stored(f.put(**stream, 500, kUint128Max)) == 500);
    f.reactor.advance(100ms);
    const auto partly = f.put(**stream, 500, 0);
    CHECK(f.stored(partly) == 100);
    CHECK(partly[0].append.first_ordinal == 1000);
    CHECK(partly[99].append.first_ordinal == 1099);
    CHECK(partly[100].append.error.message ==
          "Rate exceeded for shard shardId-000000000000 in stream s.");
}

TEST_CASE("without limits nothing is refused and nothing is kept") {
    Fixture f(LimitsMode::None);
    const auto stream = f.create("s", 1);
    REQUIRE(stream);
    for (int i = 0; i < 10; ++i)
        CHECK(f.stored(f.put(**stream, 500, 0)) == 500);
    CHECK(f.service->limits() == nullptr);
}

TEST_CASE("a door's own batches are refused whole, and the next pass in their order") {
    Fixture f;
    const auto stream = f.create("s", 1);
    REQUIRE(stream);
    RecordBatchBuilder builder;
    for (int i = 0; i < 600; ++i)
        builder.add("k", as_bytes("data"));
    std::vector<Op> ops(3);
    f.reactor.run_in_turn([&] {
        const auto writer = f.service->writer((*stream)->shards[0].uid);
        REQUIRE(writer);
        for (std::size_t i = 0; i < ops.size(); ++i) {
            if (i == 2) {
                builder.clear();
                builder.add("k", as_bytes("small"));
            }
            ops[i].shard = (*stream)->shards[0].uid;
            ops[i].batch = builder.finish();
            ops[i].done = [](AppendOp& op) noexcept { static_cast<Op&>(op).is_done = true; };
            (*writer)->submit(ops[i]);
            CHECK_FALSE(ops[i].is_done);
        }
    });
    f.reactor.advance(10ms);
    for (const auto& op : ops)
        REQUIRE(op.is_done);
    CHECK(ops[0].result.outcome == Outcome::Committed);
    CHECK(ops[1].result.error.code == Errc::Throttled);
    CHECK(ops[2].result.outcome == Outcome::Committed);
    CHECK(ops[2].result.first_ordinal == 600);
}

TEST_CASE("scaling at most doubles or halves, ten times a day") {
    Fixture f;
    REQUIRE(f.create("s", 2));
    const auto scale = [&](std::uint32_t count) {
        f.reactor.advance(2s);
        return f.reactor.run(f.service->scale_stream("s", count));
    };
    const auto doubled = scale(5);
    REQUIRE_FALSE(doubled);
    CHECK(doubled.error().message ==
          "UpdateShardCount cannot scale up over double your current open shard count. Current "
          "open shard count: 2 Target shard count: 5");
    for (int i = 0; i < 5; ++i) {
        CHECK(scale(4));
        CHECK(scale(2));
    }
    const auto eleventh = scale(4);
    REQUIRE_FALSE(eleventh);
    CHECK(eleventh.error().code == Errc::LimitExceeded);
    f.reactor.advance(std::chrono::hours{24});
    CHECK(scale(4));
}

TEST_CASE("an account has 20,000 shards and 50 streams on demand") {
    Fixture f;
    REQUIRE(f.create("a", 10'000));
    REQUIRE(f.create("b", 9'999));
    const auto more = f.create("c", 2);
    REQUIRE_FALSE(more);
    CHECK(more.error().code == Errc::LimitExceeded);
    CHECK(more.error().message ==
          "This request would exceed the shard limit for the account. Current shard count for the "
          "account: 19999. Limit: 20000.");
    CHECK(f.create("c", 1));
    const auto split = f.reactor.run(f.service->split_shard("c", 0, std::nullopt));
    REQUIRE_FALSE(split);
    CHECK(split.error().code == Errc::LimitExceeded);
    REQUIRE(f.reactor.run(f.service->delete_stream("a")));
    for (int i = 0; i < 50; ++i)
        REQUIRE(f.create(fmt::format("d{}", i), 4, StreamMode::OnDemand));
    CHECK_FALSE(f.create("d50", 4, StreamMode::OnDemand));
}

TEST_CASE("records of a stream that spreads them are counted in the shards that they go to") {
    Fixture f;
    CreateStream request;
    request.name = "s";
    request.shard_count = 4;
    request.mode = StreamMode::OnDemand;
    request.distribution = RecordDistribution::Auto;
    const auto stream = f.reactor.run(f.service->create_stream(request));
    REQUIRE(stream);
    for (int i = 0; i < 8; ++i)
        CHECK(f.stored(f.put(**stream, 500, 0)) == 500);
    CHECK(f.stored(f.put(**stream, 500, 0)) == 0);
}

TEST_CASE("a stream changes its mode twice a day, and warmth is no scaling") {
    Fixture f;
    REQUIRE(f.create("s", 1));
    const auto change = [&](SettingsChange wish) {
        f.reactor.advance(2s);
        return f.reactor.run(f.service->change_settings("s", wish));
    };
    REQUIRE(change({.mode = StreamMode::OnDemand}));
    REQUIRE(change({.mode = StreamMode::OnDemand}));  // as it is
    REQUIRE(f.reactor.run(f.service->commit_throughput("", true)));
    const auto warm = change({.warm_mib_per_second = 20});
    REQUIRE(warm);
    CHECK((*warm)->open.size() == 20);
    REQUIRE(change({.mode = StreamMode::Provisioned}));
    const auto third = change({.mode = StreamMode::OnDemand});
    REQUIRE_FALSE(third);
    CHECK(third.error().code == Errc::LimitExceeded);
    f.reactor.run_in_turn(
        [&] { CHECK((*f.service->find_stream("s"))->mode == StreamMode::Provisioned); });
    f.reactor.advance(std::chrono::hours{24});
    CHECK(change({.mode = StreamMode::OnDemand}));
}

TEST_CASE("a shard is counted on one core, whichever core its records come to") {
    TestReactorGroup group(std::make_shared<SimStorage>(11), 2, 11);
    RateLimits limits(group.all());
    const ShardUid shard{1};  // the second core's
    std::size_t admitted = 0;
    const auto put = [&]() -> Task<void> {
        std::vector<ShardWrites> writes;
        writes.push_back({shard, std::vector<std::uint32_t>(400, 10), {}});
        writes.push_back({ShardUid{2}, std::vector<std::uint32_t>(3, 10), {}});
        const auto decided = co_await limits.admit_writes(std::move(writes));
        CHECK(decided[0].shard == shard);
        CHECK(decided[1].is_admitted == std::vector<bool>(3, true));
        for (const bool may : decided[0].is_admitted)
            admitted += may ? 1 : 0;
    };
    for (int i = 0; i < 2; ++i) {
        group.run(0, put());
        group.run(1, put());
    }
    CHECK(admitted == 1000);
}

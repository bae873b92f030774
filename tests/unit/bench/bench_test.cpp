#include "bench/load/bench.h"

#include <future>

#include <doctest/doctest.h>

#include "bench/load/load_target.h"
#include "bench/load/stamped_batch.h"
#include "proto/record_batch.h"
#include "tests/unit/engine/native/door_fixture.h"

using namespace tidemill;
using namespace tidemill::bench;

TEST_SUITE("bench/load") {
    TEST_CASE("produce counts what was acknowledged, over several connections and shards") {
        DoorFixture fixture;
        BenchOptions options;
        options.connect = fixture.endpoint();
        options.shards = 3;
        options.records = 5000;
        options.batch = 50;
        options.connections = 2;
        const auto result = run_produce(options);
        REQUIRE_MESSAGE(result.has_value(), result.error().to_string());
        CHECK_EQ(result->records, 5000);
        CHECK_EQ(result->latency_ns.count(), 5000);
        CHECK_EQ(result->bytes, 500'000);
        CHECK_EQ(result->shards, 3);
        std::size_t appended = 0;
        fixture.on_core([&] { appended = fixture.service().append_count; });
        CHECK_EQ(appended, 100);
        CHECK(result->to_json().find(R"("durability":"memory","record_bytes":100,"shards":3)") !=
              std::string::npos);
    }

    TEST_CASE(
        "consume fills an empty stream, then reads and checks it, again and again if need be") {
        DoorFixture fixture;
        BenchOptions options;
        options.connect = fixture.endpoint();
        options.shards = 2;
        options.records = 3000;
        options.connections = 2;
        const auto result = run_consume(options);
        REQUIRE_MESSAGE(result.has_value(), result.error().to_string());
        CHECK_GE(result->records, 3000);
        options.records = 10'000;
        CHECK_GE(run_consume(options)->records, 10'000);
    }

    TEST_CASE("latency measures every record from its intended time to delivery") {
        DoorFixture fixture;
        BenchOptions options;
        options.connect = fixture.endpoint();
        options.shards = 2;
        options.records = 500;
        options.batch = 1;
        options.rate = 20'000;
        const auto result = run_latency(options);
        REQUIRE_MESSAGE(result.has_value(), result.error().to_string());
        CHECK_EQ(result->records, 500);
        CHECK_EQ(result->latency_ns.count(), 500);
        CHECK_EQ(result->acknowledge_ns.count(), 500);
        CHECK_GT(result->latency_ns.quantile(0.5), 0);
        CHECK(result->to_json().find("\"acknowledge_us\":{") != std::string::npos);
    }

    TEST_CASE("latency at a rate with batches: every record carries its batch's intended time") {
        DoorFixture fixture;
        BenchOptions options;
        options.connect = fixture.endpoint();
        options.shards = 2;
        options.connections = 2;
        options.records = 2000;
        options.batch = 50;
        options.rate = 200'000;
        const auto result = run_latency(options);
        REQUIRE_MESSAGE(result.has_value(), result.error().to_string());
        CHECK_EQ(result->latency_ns.count(), 2000);
        // A record without its time would seem to have waited since the clock began.
        CHECK_LT(result->latency_ns.max(), 60'000'000'000);
    }

    TEST_CASE("catchup reads once what is there, all shards at once or some one after another") {
        DoorFixture fixture;
        BenchOptions options;
        options.connect = fixture.endpoint();
        options.shards = 4;
        options.batch = 100;
        CHECK_EQ(run_catchup(options).error().code, Errc::NotFound);
        options.records = 2000;
        const auto written = run_produce(options);
        REQUIRE_MESSAGE(written.has_value(), written.error().to_string());
        options.connections = 3;
        const auto all = run_catchup(options);
        REQUIRE_MESSAGE(all.has_value(), all.error().to_string());
        CHECK_EQ(all->records, 2000);
        CHECK(all->shard_records == written->shard_records);
        options.sample_shards = 2;
        const auto some = run_catchup(options);
        REQUIRE_MESSAGE(some.has_value(), some.error().to_string());
        CHECK_EQ(some->shard_records.size(), 2);
        CHECK_EQ(some->records, 1000);
    }

    TEST_CASE("a lost connection is an error, unless the run is until broken") {
        BenchOptions options;
        options.shards = 2;
        options.seconds = 30;
        options.batch = 10;
        for (const bool until_broken : {false, true}) {
            auto fixture = std::make_unique<DoorFixture>();
            options.connect = fixture->endpoint();
            options.until_broken = until_broken;
            auto running =
                std::async(std::launch::async, [options] { return run_produce(options); });
            std::size_t appended = 0;
            while (appended < 50)
                fixture->on_core([&] { appended = fixture->service().append_count; });
            fixture.reset();
            const auto result = running.get();
            CHECK_EQ(result.has_value(), until_broken);
            if (!result) {
                CHECK_EQ(result.error().code, Errc::Unavailable);
                continue;
            }
            CHECK(result->is_broken);
            CHECK_EQ(result->shard_records.size(), 2);
            CHECK_EQ(result->shard_records[0] + result->shard_records[1], result->records);
            CHECK(result->to_json().find(R"("broken":true,"shard_records":[)") !=
                  std::string::npos);
        }
    }

    TEST_CASE("a batch that the broker puts off is sent again; another refusal ends the run") {
        DoorFixture fixture;
        BenchOptions options;
        options.connect = fixture.endpoint();
        options.shards = 1;
        options.records = 1000;
        options.batch = 100;
        const auto refuse = [&](Errc code) {
            fixture.on_core([&] {
                fixture.service().append_count = 0;
                fixture.service().refuses = true;
                fixture.service().refuse_appends = Error(code, "no");
            });
        };
        refuse(Errc::Throttled);
        auto running = std::async(std::launch::async, [options] { return run_produce(options); });
        std::size_t appended = 0;
        while (appended < 10)
            fixture.on_core([&] { appended = fixture.service().append_count; });
        fixture.on_core([&] { fixture.service().refuses = false; });
        const auto result = running.get();
        REQUIRE_MESSAGE(result.has_value(), result.error().to_string());
        CHECK_EQ(result->records, 1000);
        CHECK_GE(result->throttled_batches, 10);
        refuse(Errc::NoSpace);
        CHECK_EQ(run_produce(options).error().code, Errc::NoSpace);
    }

    TEST_CASE("a stamped batch is as good as a new one") {
        BenchOptions options;
        options.batch = 7;
        StampedBatch stamped(build_batch(options, 1));
        for (const std::int64_t time : {1LL, 1'000'000'007LL}) {
            const auto batch = RecordBatchView::parse(stamped.stamp(time));
            REQUIRE(batch.has_value());
            RecordCursor cursor(*batch);
            int records = 0;
            for (RecordView record; cursor.next(record); ++records)
                CHECK_EQ(load_le<std::int64_t>(record.data.data()), time);
            CHECK_EQ(records, 7);
        }
    }

    TEST_CASE("what cannot be measured is refused") {
        BenchOptions options;
        options.record_bytes = 4;
        CHECK_EQ(run_produce(options).error().code, Errc::InvalidArgument);
        options = {};
        options.connect = "127.0.0.1:1";
        CHECK_EQ(run_produce(options).error().code, Errc::Unavailable);
    }
}

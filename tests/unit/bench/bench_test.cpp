#include "bench/load/bench.h"

#include <doctest/doctest.h>

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

    TEST_CASE("what cannot be measured is refused") {
        BenchOptions options;
        options.record_bytes = 4;
        CHECK_EQ(run_produce(options).error().code, Errc::InvalidArgument);
        options = {};
        options.connect = "127.0.0.1:1";
        CHECK_EQ(run_produce(options).error().code, Errc::Unavailable);
    }
}

#include "engine/usage/control_rates.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace tidemill;

namespace {

constexpr MonoTime kStart{std::chrono::hours{1}};

int calls_in_a_row(ControlRates& rates, std::string_view operation, std::string_view scope = "s") {
    int count = 0;
    while (count < 10'000 && rates.take(operation, "1", scope, kStart))
        ++count;
    return count;
}

}  // namespace

TEST_CASE("every operation has the rate that AWS documents") {
    ControlRates rates;
    CHECK(calls_in_a_row(rates, "CreateStream") == 5);
    CHECK(calls_in_a_row(rates, "DescribeStream") == 10);
    CHECK(calls_in_a_row(rates, "DescribeStreamSummary") == 20);
    CHECK(calls_in_a_row(rates, "DescribeStreamConsumer") == 20);
    CHECK(calls_in_a_row(rates, "DescribeLimits") == 1);
    CHECK(calls_in_a_row(rates, "ListShards") == 1000);
    CHECK(calls_in_a_row(rates, "SubscribeToShard") == 1);
    CHECK(calls_in_a_row(rates, "PutRecord") == 10'000);
}

TEST_CASE("operations are counted by account, ListShards by stream, SubscribeToShard by consumer") {
    ControlRates rates;
    CHECK(calls_in_a_row(rates, "DescribeStream", "a") == 10);
    CHECK(calls_in_a_row(rates, "DescribeStream", "b") == 0);
    CHECK(rates.take("DescribeStream", "2", "a", kStart));
    CHECK(calls_in_a_row(rates, "ListShards", "a") == 1000);
    CHECK(calls_in_a_row(rates, "ListShards", "b") == 1000);
    CHECK(rates.take("SubscribeToShard", "1", "c 1", kStart));
    CHECK(rates.take("SubscribeToShard", "1", "c 2", kStart));
    CHECK_FALSE(rates.take("SubscribeToShard", "1", "c 1", kStart + 900ms));
    CHECK(rates.take("SubscribeToShard", "1", "c 1", kStart + 1s));
}

TEST_CASE("a stream is scaled ten times in any 24 hours") {
    ControlRates rates;
    const StreamUid stream{1};
    const auto may = [&](MonoTime now) {
        return rates.check(DailyChange::Scale, stream, "s", now).has_value();
    };
    for (int i = 0; i < 10; ++i) {
        CHECK(may(kStart + std::chrono::hours{i}));
        rates.count(DailyChange::Scale, stream, kStart + std::chrono::hours{i});
    }
    CHECK_FALSE(may(kStart + std::chrono::hours{10}));
    const auto refused = rates.check(DailyChange::Scale, stream, "s", kStart + 10h);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::LimitExceeded);
    CHECK(rates.check(DailyChange::Scale, StreamUid{2}, "t", kStart + 10h));
    CHECK(rates.check(DailyChange::SwitchMode, stream, "s", kStart + 10h));
    CHECK_FALSE(may(kStart + std::chrono::hours{24} - 1ms));
    CHECK(may(kStart + std::chrono::hours{24}));
    rates.count(DailyChange::Scale, stream, kStart + std::chrono::hours{24});
    CHECK_FALSE(may(kStart + std::chrono::hours{24}));
    rates.forget(stream);
    CHECK(may(kStart + std::chrono::hours{24}));
}

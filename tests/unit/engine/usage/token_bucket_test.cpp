#include "engine/usage/token_bucket.h"

#include <doctest/doctest.h>

#include "engine/usage/aws_rates.h"

using namespace tidemill;

namespace {
constexpr MonoTime kStart{std::chrono::hours{1}};
}

TEST_CASE("a bucket starts full, gives bursts up to its capacity and then its mean rate") {
    TokenBucket bucket({10, 30}, kStart);
    CHECK(bucket.try_take(30, kStart));
    CHECK_FALSE(bucket.try_take(1, kStart));
    CHECK_FALSE(bucket.try_take(1, kStart + 99ms));
    CHECK(bucket.try_take(1, kStart + 100ms));
    CHECK_FALSE(bucket.try_take(11, kStart + 1100ms));
    CHECK(bucket.try_take(10, kStart + 1100ms));
    // It does not save more than it holds.
    CHECK(bucket.try_take(30, kStart + std::chrono::hours{1}));
    CHECK_FALSE(bucket.try_take(1, kStart + std::chrono::hours{1}));
}

TEST_CASE("over any time no more goes through than the burst and the mean") {
    TokenBucket bucket({1000, 1000}, kStart);
    int taken = 0;
    for (int ms = 0; ms < 10'000; ++ms)
        for (int i = 0; i < 3; ++i)
            taken += bucket.try_take(1, kStart + std::chrono::milliseconds{ms}) ? 1 : 0;
    CHECK(taken >= 10'990);
    CHECK(taken <= 11'000);
}

TEST_CASE("more than a bucket holds goes through once it is full, and is owed") {
    TokenBucket bucket({10, 10}, kStart);
    CHECK(bucket.try_take(1, kStart));
    CHECK_FALSE(bucket.try_take(25, kStart));
    CHECK(bucket.try_take(25, kStart + 100ms));
    CHECK(bucket.level(kStart + 100ms) == doctest::Approx(-15));
    CHECK_FALSE(bucket.try_take(1, kStart + 1600ms));
    CHECK(bucket.try_take(1, kStart + 1700ms));
}

TEST_CASE("what was used is charged: 10 MiB of 2 MiB a second are owed for five seconds") {
    TokenBucket bucket(aws_rates::kReadBytes, kStart);
    CHECK(bucket.is_clear(kStart));
    bucket.charge(10_MiB, kStart);
    CHECK_FALSE(bucket.is_clear(kStart));
    CHECK_FALSE(bucket.is_clear(kStart + 4999ms));
    CHECK(bucket.is_clear(kStart + 5000ms));
    CHECK(bucket.clear_at(kStart + 1s) == kStart + 5s);
    CHECK(bucket.clear_at(kStart + 6s) == kStart + 6s);
    // Small answers use what was saved.
    bucket.charge(1_MiB, kStart + 10s);
    CHECK(bucket.is_clear(kStart + 10s));
}

TEST_CASE("time that goes back changes nothing") {
    TokenBucket bucket({10, 10}, kStart);
    CHECK(bucket.try_take(10, kStart));
    CHECK_FALSE(bucket.try_take(1, kStart - 10s));
    CHECK(bucket.level(kStart + 500ms) == doctest::Approx(5));
}

#include "engine/usage/shard_buckets.h"

#include <doctest/doctest.h>

using namespace tidemill;

namespace {
constexpr MonoTime kStart{std::chrono::hours{1}};
constexpr ShardUid kShard{7};
}  // namespace

TEST_CASE("a shard takes 1000 records a second and 10 MiB at once, then 1 MiB a second") {
    ShardBuckets shards;
    int records = 0;
    while (shards.take_write(kShard, {1, 100}, kStart))
        ++records;
    CHECK(records == 1000);
    CHECK(shards.stats.write_records == 1);
    CHECK(shards.take_write(kShard, {1, 100}, kStart + 1ms));

    const ShardUid other{8};
    int mebibytes = 0;
    while (shards.take_write(other, {1, 1_MiB}, kStart))
        ++mebibytes;
    CHECK(mebibytes == 10);
    CHECK_FALSE(shards.take_write(other, {1, 1_MiB}, kStart + 999ms));
    CHECK(shards.take_write(other, {1, 1_MiB}, kStart + 1s));
}

TEST_CASE("a write that its bytes refuse does not use up records") {
    ShardBuckets shards;
    CHECK(shards.take_write(kShard, {1, 10_MiB}, kStart));
    for (int i = 0; i < 2000; ++i)
        CHECK_FALSE(shards.take_write(kShard, {1, 1_MiB}, kStart));
    int records = 0;
    while (shards.take_write(kShard, {1, 0}, kStart))
        ++records;
    CHECK(records == 999);
}

TEST_CASE("reads come five a second, and not while an answer is owed") {
    ShardBuckets shards;
    int calls = 0;
    while (shards.take_read_call(kShard, kStart))
        ++calls;
    CHECK(calls == 5);
    CHECK_FALSE(shards.take_read_call(kShard, kStart + 199ms));
    CHECK(shards.take_read_call(kShard, kStart + 200ms));
    shards.charge_read(kShard, 10_MiB, kStart + 1s);
    CHECK_FALSE(shards.take_read_call(kShard, kStart + 5999ms));
    CHECK(shards.take_read_call(kShard, kStart + 6s));
    CHECK(shards.stats.read_calls == 3);
}

TEST_CASE("shards that nobody uses any more take no memory") {
    ShardBuckets shards;
    for (std::uint32_t i = 0; i < 100'000; ++i)
        CHECK(shards.take_iterator_call(ShardUid{i}, kStart + std::chrono::milliseconds{i}));
    CHECK(shards.size() < 3000);
}

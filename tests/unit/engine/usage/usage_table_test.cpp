#include "engine/usage/usage_table.h"

#include <map>
#include <string>

#include <doctest/doctest.h>

#include "engine/base/hash_key.h"

using namespace tidemill;

TEST_CASE("a rate follows what is used, and what is idle takes no room") {
    UsageTable table;
    const ShardUid shard{3};
    for (int i = 0; i < 40; ++i) {
        table.add({{shard, {500, 50'000, 0, 0}, {}}});
        table.add({{shard, {500, 50'000, 100, 1000}, {}}});  // another core's
        table.tick(1s);
    }
    CHECK(table.rates(shard).records_in == doctest::Approx(1000).epsilon(0.01));
    CHECK(table.rates(shard).bytes_in == doctest::Approx(100'000).epsilon(0.01));
    CHECK(table.rates(shard).bytes_out == doctest::Approx(1000).epsilon(0.01));
    CHECK(table.rates(ShardUid{4}).records_in == 0);
    CHECK(table.size() == 1);
    table.tick(2s);
    CHECK(table.rates(shard).records_in == doctest::Approx(368).epsilon(0.02));
    for (int i = 0; i < 60; ++i)
        table.tick(1s);
    CHECK(table.size() == 0);
}

TEST_CASE("a rate does not depend on how often it is looked at") {
    ShardRates fine, coarse;
    for (int i = 0; i < 100; ++i)
        fine.add({10, 0, 0, 0}, 10ms);
    coarse.add({1000, 0, 0, 0}, 1s);
    CHECK(fine.records_in == doctest::Approx(coarse.records_in).epsilon(0.001));
}

TEST_CASE("a core's meters count batches, and sample keys when they are wanted") {
    ShardMeters meters;
    const ShardUid shard{9};
    RecordBatchBuilder builder;
    builder.add("key", as_bytes("0123456789"));
    builder.add("key", as_bytes("0123456789"));
    ShardMeter& meter = meters.of(shard);
    const auto batch = builder.finish();
    meters.count_in(meter, batch);
    meters.count_in(meter, batch);
    auto collected = meters.collect();
    REQUIRE(collected.size() == 1);
    CHECK(collected[0].shard == shard);
    CHECK(collected[0].used.records_in == 4);
    CHECK(collected[0].used.bytes_in == 2 * (batch.bytes().size() - sizeof(RecordBatchHeader)));
    CHECK(collected[0].keys.empty());
    CHECK(meters.collect().empty());

    meters.sample(shard, true);
    REQUIRE(meter.sample != nullptr);
    meters.count_in(meter, batch);
    meters.sample_batch(meter, batch);
    collected = meters.collect();
    REQUIRE(collected.size() == 1);
    REQUIRE(collected[0].keys.size() == 2);
    CHECK(collected[0].keys[0].hash_key == hash_partition_key("key"));
    CHECK(collected[0].keys[0].weight == 1);
    meters.sample(shard, false);
    CHECK(meter.sample == nullptr);
}

TEST_CASE("some keys of each batch are sampled, and each record is as likely as the others") {
    ShardMeters meters;
    const ShardUid shard{9};
    ShardMeter& meter = meters.of(shard);
    RecordBatchBuilder builder;
    constexpr int kRecords = 100;
    for (int i = 0; i < kRecords; ++i)
        builder.add("key " + std::to_string(i), as_bytes("data"));
    const auto batch = builder.finish();
    std::map<uint128, int> times;
    int sampled = 0;
    constexpr int kBatches = 4000;
    for (int i = 0; i < kBatches; ++i) {
        meters.sample(shard, true);
        meters.count_in(meter, batch);
        meters.sample_batch(meter, batch);  // every 25th record
        const auto collected = meters.collect();
        for (const auto& one : collected[0].keys) {
            ++times[one.hash_key];
            ++sampled;
            CHECK(one.weight == 25);
        }
        meters.sample(shard, false);
    }
    CHECK(sampled == 4 * kBatches);
    REQUIRE(times.size() == kRecords);
    for (int i = 0; i < kRecords; ++i) {
        const int count = times[hash_partition_key("key " + std::to_string(i))];
        CHECK(count > sampled / kRecords / 2);
        CHECK(count < 2 * sampled / kRecords);
    }
}

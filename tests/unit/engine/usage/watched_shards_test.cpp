#include "engine/usage/watched_shards.h"

#include <doctest/doctest.h>

#include "engine/reactor/test_reactor.h"

using namespace tidemill;

namespace {

std::shared_ptr<const StreamInfo> stream_of(std::string name, std::uint32_t first_shard,
                                            ShardMetrics metrics) {
    auto stream = std::make_shared<StreamInfo>();
    stream->name = std::move(name);
    stream->shard_metrics = metrics;
    for (std::uint32_t i = 0; i < 2; ++i) {
        ShardInfo shard;
        shard.uid = ShardUid{first_shard + i};
        shard.index = i;
        stream->shards.push_back(shard);
    }
    return stream;
}

}  // namespace

TEST_CASE("only the shards of streams that show metrics of shards are counted") {
    TestReactor reactor;
    WatchedShards shards({&reactor});
    CatalogView view{1, {{"quiet", stream_of("quiet", 1, 0)}, {"shown", stream_of("shown", 3, 1)}}};
    reactor.run_in_turn([&] {
        CHECK(shards.find(ShardUid{1}, view) == nullptr);
        CHECK(shards.find(ShardUid{9}, view) == nullptr);
        ShardCounts* counts = shards.find(ShardUid{4}, view);
        REQUIRE(counts != nullptr);
        counts->count_written(3, 300);
        counts->count_read(2, 200);
    });
    const auto sums = reactor.run(shards.collect());
    CHECK(sums.size() == 2);
    CHECK(sums.at(ShardUid{4}).incoming_records == 3);
    CHECK(sums.at(ShardUid{4}).incoming_bytes == 300);
    CHECK(sums.at(ShardUid{4}).outgoing_bytes == 200);
    CHECK(sums.at(ShardUid{3}).incoming_records == 0);
}

TEST_CASE("counts outlive changes of the catalog, and go when their stream shows them no longer") {
    TestReactor reactor;
    WatchedShards shards({&reactor});
    CatalogView view{1, {{"s", stream_of("s", 1, 1)}}};
    reactor.run_in_turn([&] {
        shards.find(ShardUid{1}, view)->count_written(5, 5);
        view.version = 2;
        view.streams["other"] = stream_of("other", 7, 1);
        REQUIRE(shards.find(ShardUid{1}, view) != nullptr);
        CHECK(shards.find(ShardUid{1}, view)->incoming_records == 5);
        view = {3, {{"s", stream_of("s", 1, 0)}}};
        CHECK(shards.find(ShardUid{1}, view) == nullptr);
        view = {4, {{"s", stream_of("s", 1, 1)}}};
        CHECK(shards.find(ShardUid{1}, view)->incoming_records == 0);
    });
}

TEST_CASE("sums over cores take the age that was seen last") {
    ShardCounts early, late;
    early.last_read = MonoTime(std::chrono::seconds(1));
    early.iterator_age = std::chrono::milliseconds(900);
    late.last_read = MonoTime(std::chrono::seconds(2));
    late.iterator_age = std::chrono::milliseconds(5);
    ShardCounts sum = early;
    sum.merge(late);
    CHECK(sum.iterator_age == late.iterator_age);
    sum = late;
    sum.merge(early);
    CHECK(sum.iterator_age == late.iterator_age);
}

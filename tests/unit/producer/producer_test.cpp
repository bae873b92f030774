#include "producer/producer.h"

#include <algorithm>
#include <atomic>

#include <doctest/doctest.h>

#include "producer/admin_client.h"
#include "proto/batch_codec.h"
#include "tests/unit/engine/native/door_fixture.h"

using namespace tidemill;
using namespace tidemill::client;

TEST_SUITE("producer") {
    TEST_CASE("streams are made, listed, described and deleted over the native protocol") {
        DoorFixture fixture;
        auto admin = AdminClient::connect("tidemill://" + fixture.endpoint());
        REQUIRE(admin.is_ok());
        CHECK_EQ(admin->broker()->durability, "memory");
        NewStream wanted;
        wanted.name = "orders";
        wanted.shard_count = 3;
        wanted.tags["team"] = "a";
        const auto made = admin->create_stream(wanted);
        REQUIRE(made.is_ok());
        CHECK_EQ(made->shards.size(), 3);
        CHECK_EQ(made->shards[2].id, "shardId-000000000002");
        CHECK_EQ(made->shards[2].last_hash_key, "340282366920938463463374607431768211455");
        CHECK_EQ(made->tags.at("team"), "a");
        CHECK_EQ(admin->create_stream(wanted).failure().code, "already_exists");
        const auto all = admin->list_streams();
        REQUIRE_EQ(all->size(), 1);
        CHECK_EQ((*all)[0].open_shards, 3);
        CHECK(admin->delete_stream("orders").is_ok());
        const auto gone = admin->describe_stream("orders");
        CHECK_EQ(gone.failure().code, "not_found");
        CHECK(gone.failure().message.find(fixture.endpoint()) != std::string::npos);
    }

    TEST_CASE("what is put gets its shard and sequence number, and lies in the shard in order") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        ProducerOptions options;
        options.endpoint = fixture.endpoint();
        auto producer = Producer::connect(options);
        REQUIRE(producer.is_ok());
        std::vector<std::future<PutResult>> results;
        for (int i = 0; i < 1000; ++i)
            results.push_back(producer->put("s", "k", std::to_string(i)));
        producer->flush();
        for (std::size_t i = 0; i < results.size(); ++i) {
            const PutResult result = results[i].get();
            REQUIRE(result.is_ok());
            CHECK_EQ(result.ordinal(), i);
            CHECK_EQ(result.shard_id(), "shardId-000000000000");
            CHECK_EQ(result.sequence_number().size(), 56);
            CHECK_EQ(result.attempts(), 1);
        }
        std::vector<std::string> stored;
        fixture.on_core([&] {
            for (const auto& slice : fixture.service().batches(shard)) {
                RecordCursor cursor(RecordBatchView::trusted(slice.bytes));
                for (RecordView record; cursor.next(record);)
                    stored.emplace_back(as_text(record.data));
            }
        });
        REQUIRE_EQ(stored.size(), 1000);
        for (std::size_t i = 0; i < stored.size(); ++i)
            CHECK_EQ(stored[i], std::to_string(i));
        CHECK_EQ(producer->metrics().records_stored, 1000);
        CHECK_EQ(producer->metrics().memory_bytes, 0);
    }

    TEST_CASE("batches are compressed as asked, and one that would not shrink goes as it is") {
        DoorFixture fixture;
        for (const auto* compression : {"none", "lz4", "zstd", "zstd:7"}) {
            CAPTURE(compression);
            const ShardUid shard = fixture.make_stream(compression);
            ProducerOptions options;
            options.endpoint = fixture.endpoint();
            options.compression = compression;
            auto producer = Producer::connect(options);
            REQUIRE(producer.is_ok());
            for (int i = 0; i < 1000; ++i)
                producer->put_async(compression, "k", "the same words again, " + std::to_string(i));
            producer->flush();
            producer->put_async(compression, "k", "short");
            producer->flush();
            std::vector<std::uint8_t> codecs;
            std::vector<std::string> stored;
            fixture.on_core([&] {
                BatchOpener opener;
                for (const auto& slice : fixture.service().batches(shard)) {
                    const auto batch = RecordBatchView::trusted(slice.bytes);
                    codecs.push_back(batch.header().codec);
                    RecordCursor cursor = opener.open(batch);
                    for (RecordView record; cursor.next(record);)
                        stored.emplace_back(as_text(record.data));
                }
            });
            REQUIRE_EQ(stored.size(), 1001);
            CHECK_EQ(stored[999], "the same words again, 999");
            CHECK_EQ(codecs.back(), 0);
            const auto asked = static_cast<std::uint8_t>(parse_compression(compression)->codec);
            CHECK(std::ranges::count(codecs, asked) >= 1);
            const auto metrics = producer->metrics();
            CHECK_EQ(metrics.records_stored, 1001);
            if (asked != 0) CHECK_LT(metrics.batch_bytes_stored, metrics.bytes_stored / 2);
        }
        ProducerOptions options;
        options.endpoint = fixture.endpoint();
        options.compression = "gzip";
        CHECK_EQ(Producer::connect(options).failure().code, "invalid_argument");
    }

    TEST_CASE("closing loses nothing") {
        DoorFixture fixture;
        fixture.make_stream("s", 4);
        ProducerOptions options;
        options.endpoint = fixture.endpoint();
        options.linger = 1s;
        std::atomic<int> stored{0};
        {
            auto producer = Producer::connect(options);
            REQUIRE(producer.is_ok());
            for (int i = 0; i < 500; ++i)
                producer->put_async(
                    "s", "key" + std::to_string(i), "x",
                    [&](const PutResult& result) { stored += result.is_ok() ? 1 : 0; });
            producer->close();
            CHECK_EQ(stored, 500);
            CHECK_EQ(producer->put("s", "k", "late").get().failure().code, "cancelled");
        }
    }

    TEST_CASE("try_put refuses at the memory bound while the broker does not answer") {
        DoorFixture fixture;
        fixture.make_stream("s");
        fixture.on_core([&] { fixture.service().completes_at_once = false; });
        ProducerOptions options;
        options.endpoint = fixture.endpoint();
        options.memory_bytes_max = 10'000;
        auto producer = Producer::connect(options);
        REQUIRE(producer.is_ok());
        int taken = 0;
        while (taken < 100 && producer->try_put("s", "k", std::string(1000, 'x')))
            ++taken;
        CHECK_GT(taken, 3);
        CHECK_LT(taken, 10);
        CHECK_LE(producer->metrics().memory_bytes, 10'000);
        std::size_t held = 0;
        while (held == 0)
            fixture.on_core([&] { held = fixture.service().held.size(); });
        fixture.on_core([&] {
            fixture.service().completes_at_once = true;
            fixture.service().complete_held();
        });
        producer->flush();
        CHECK(producer->try_put("s", "k", std::string(1000, 'x')));
    }

    TEST_CASE("a wrong address fails with its name") {
        ProducerOptions options;
        options.endpoint = "127.0.0.1:1";
        const auto producer = Producer::connect(options);
        REQUIRE_FALSE(producer.is_ok());
        CHECK_EQ(producer.failure().code, "unavailable");
        CHECK(producer.failure().message.find("127.0.0.1:1") != std::string::npos);
        options.endpoint = "nonsense:port";
        CHECK_EQ(Producer::connect(options).failure().code, "invalid_argument");
    }
}

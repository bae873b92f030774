#include "consumer/consumer.h"

#include <optional>
#include <thread>

#include <doctest/doctest.h>

#include "consumer/worker.h"
#include "producer/producer.h"
#include "tests/unit/engine/native/door_fixture.h"
#include "tests/unit/engine/native/raw_client.h"
#include "tests/unit/proto/forged_batch.h"

using namespace tidemill;
using namespace tidemill::client;

namespace {

void put(DoorFixture& fixture, const std::string& stream, int from, int to) {
    ProducerOptions options;
    options.endpoint = fixture.endpoint();
    auto producer = Producer::connect(options);
    REQUIRE(producer.is_ok());
    for (int i = from; i < to; ++i)
        producer->put_async(stream, "k", std::to_string(i));
    producer->flush();
    REQUIRE_EQ(producer->metrics().records_failed, 0);
}

ConsumerOptions options_of(DoorFixture& fixture, std::string application = {}) {
    ConsumerOptions options;
    options.endpoint = fixture.endpoint();
    options.stream = "s";
    options.application = std::move(application);
    return options;
}

/// Reads until `count` records have come; returns their data.
std::vector<int> read(Consumer& consumer, std::size_t count, Delivery* last = nullptr) {
    std::vector<int> data;
    while (data.size() < count) {
        const auto delivery = consumer.next_batch(20s);
        REQUIRE(delivery.is_ok());
        REQUIRE(delivery->has_value());
        for (const auto& record : (*delivery)->records)
            data.push_back(std::stoi(record.data));
        if (last != nullptr) *last = **delivery;
    }
    return data;
}

/// A worker with two shards: one with records, all of them read, and one that has ended.
struct TwoShards {
    explicit TwoShards(std::chrono::milliseconds sync_interval = 60s) {
        const ShardUid first = fixture.make_stream("s", 2);
        put(fixture, "s", 0, 10);
        auto options = options_of(fixture, "app");
        options.sync_interval = sync_interval;
        consumer.emplace(std::move(*Consumer::connect(options)));
        read(*consumer, 10, &last);
        const ShardUid other{first.value + 1 - last.shard_index};
        fixture.on_core([&] { fixture.service().seal(other); });
        const auto delivery = consumer->next_batch(20s);
        REQUIRE(delivery->has_value());
        ended = **delivery;
        REQUIRE((ended.kind == Delivery::Kind::ShardEnded));
    }
    DoorFixture fixture;
    std::optional<Consumer> consumer;
    Delivery last, ended;
};

/// Stores batches as any client may.
void store(DoorFixture& fixture, ShardUid shard, const std::vector<std::byte>& batch) {
    RawClient client(fixture.port());
    client.produce(1, shard, batch);
    REQUIRE_FALSE(client.receive()->is_error);
}

std::vector<std::string> texts(int from, int to, std::size_t bytes) {
    std::vector<std::string> all;
    for (int i = from; i < to; ++i) {
        all.push_back(std::to_string(i));
        all.back().resize(bytes, ' ');
    }
    return all;
}

std::vector<int> numbers(int from, int to) {
    std::vector<int> all;
    for (int i = from; i < to; ++i)
        all.push_back(i);
    return all;
}

}  // namespace

TEST_SUITE("consumer") {
    TEST_CASE("records come in order, from the oldest on and as they are put") {
        DoorFixture fixture;
        fixture.make_stream("s");
        put(fixture, "s", 0, 100);
        auto consumer = Consumer::connect(options_of(fixture));
        REQUIRE(consumer.is_ok());
        Delivery last;
        CHECK_EQ(read(*consumer, 100, &last), numbers(0, 100));
        CHECK_EQ(last.shard_id(), "shardId-000000000000");
        CHECK_EQ(last.sequence_number(last.records.back()).size(), 56);
        put(fixture, "s", 100, 150);
        CHECK_EQ(read(*consumer, 50), numbers(100, 150));
    }

    TEST_CASE("a consumer that begins at the latest record sees only what comes after") {
        DoorFixture fixture;
        fixture.make_stream("s");
        put(fixture, "s", 0, 10);
        auto options = options_of(fixture);
        options.start = StartPosition::latest();
        auto consumer = Consumer::connect(options);
        REQUIRE(consumer.is_ok());
        put(fixture, "s", 10, 20);
        CHECK_EQ(read(*consumer, 10), numbers(10, 20));
    }

    TEST_CASE("a restarted application goes on behind its checkpoint, within a batch too") {
        DoorFixture fixture;
        fixture.make_stream("s");
        put(fixture, "s", 0, 50);
        {
            auto consumer = Consumer::connect(options_of(fixture, "app"));
            REQUIRE(consumer.is_ok());
            read(*consumer, 50);
            CHECK(consumer->checkpoint(0, 20).is_ok());
        }
        auto again = Consumer::connect(options_of(fixture, "app"));
        REQUIRE(again.is_ok());
        CHECK_EQ(read(*again, 30), numbers(20, 50));
    }

    TEST_CASE("a worker whose lease is another's cannot checkpoint and is told") {
        DoorFixture fixture;
        fixture.make_stream("s");
        put(fixture, "s", 0, 10);
        auto options = options_of(fixture, "app");
        options.sync_interval = 60s;
        auto consumer = Consumer::connect(options);
        REQUIRE(consumer.is_ok());
        Delivery last;
        read(*consumer, 10, &last);
        fixture.on_core([&] { fixture.service().steal_lease("app", 0, "thief"); });
        const auto refused = consumer->checkpoint(last);
        REQUIRE_FALSE(refused.is_ok());
        CHECK_EQ(refused.failure().code, "fenced");
        const auto told = consumer->next_batch(20s);
        REQUIRE(told->has_value());
        CHECK(((*told)->kind == Delivery::Kind::LeaseLost));
    }

    TEST_CASE("a renewal whose answer was lost does not cost the lease") {
        TwoShards at;
        at.fixture.on_core([&] { at.fixture.service().unanswered_lease = at.last.shard_index; });
        // The end of the other shard makes the worker look after its leases again.
        REQUIRE(at.consumer->checkpoint(at.ended).is_ok());
        bool is_renewed = false;
        while (!is_renewed)
            at.fixture.on_core(
                [&] { is_renewed = !at.fixture.service().unanswered_lease.has_value(); });
        CHECK(at.consumer->checkpoint(at.last).is_ok());
        CHECK_EQ(at.consumer->metrics().leases_lost, 0);
    }

    TEST_CASE("the end of a shard can be kept again when the first answer was lost") {
        TwoShards at(1ms);
        at.fixture.on_core([&] { at.fixture.service().unanswered_save = true; });
        const auto first = at.consumer->checkpoint(at.ended);
        REQUIRE_FALSE(first.is_ok());
        CHECK_NE(first.failure().code, "fenced");
        while (at.consumer->metrics().shards_held > 1)
            std::this_thread::yield();
        CHECK(at.consumer->checkpoint(at.ended).is_ok());
        CHECK_EQ(at.consumer->metrics().leases_lost, 0);
    }

    TEST_CASE("a slow reader holds the broker back by its credit") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        auto options = options_of(fixture);
        options.credit_bytes = 2000;
        auto consumer = Consumer::connect(options);
        REQUIRE(consumer.is_ok());
        for (int i = 0; i < 30; ++i)
            put(fixture, "s", i * 10, i * 10 + 10);
        CHECK_EQ(read(*consumer, 300), numbers(0, 300));
        CHECK_EQ(consumer->metrics().records, 300);
        (void)shard;
    }

    TEST_CASE("a worker gives each shard a processor and ends closed shards") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        put(fixture, "s", 0, 10);
        struct Seen {
            int records = 0;
            bool is_initialized = false, has_ended = false;
        } seen;
        struct Processor : RecordProcessor {
            explicit Processor(Seen& s) : seen(s) {}
            void initialize(const std::string&) override { seen.is_initialized = true; }
            void process_records(const Delivery& records, Checkpointer& checkpointer) override {
                seen.records += static_cast<int>(records.records.size());
                CHECK(checkpointer.checkpoint().is_ok());
            }
            void shard_ended(Checkpointer&) override {
                seen.has_ended = true;
                worker->shut_down();
            }
            Seen& seen;
            Worker* worker = nullptr;
        };
        Worker* self = nullptr;
        Worker worker(options_of(fixture, "app"), [&] {
            auto processor = std::make_unique<Processor>(seen);
            processor->worker = self;
            return processor;
        });
        self = &worker;
        fixture.on_core([&] { fixture.service().seal(shard); });
        CHECK(worker.run().is_ok());
        CHECK(seen.is_initialized);
        CHECK_EQ(seen.records, 10);
        CHECK(seen.has_ended);
        bool is_finished = false;
        fixture.on_core([&] { is_finished = fixture.service().checkpoint("app", 0).is_finished; });
        CHECK(is_finished);
    }

    TEST_CASE("compressed batches are read like others, from within too") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        put(fixture, "s", 0, 10);
        store(fixture, shard, compressed_batch(texts(10, 500, 20), {Codec::Lz4, 0}));
        store(fixture, shard, compressed_batch(texts(500, 1000, 20), {Codec::Zstd, 1}));
        {
            auto consumer = Consumer::connect(options_of(fixture, "app"));
            REQUIRE(consumer.is_ok());
            CHECK_EQ(read(*consumer, 1000), numbers(0, 1000));
            CHECK(consumer->checkpoint(0, 700).is_ok());
        }
        auto again = Consumer::connect(options_of(fixture, "app"));
        REQUIRE(again.is_ok());
        CHECK_EQ(read(*again, 300), numbers(700, 1000));
    }

    TEST_CASE("what batches open to is bounded by the credit, not only what was sent") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        // Each opens to 100,000 bytes from a few hundred: all fit into the credit at once.
        for (int i = 0; i < 50; ++i)
            store(fixture, shard,
                  compressed_batch(texts(i * 10, i * 10 + 10, 10'000), {Codec::Zstd, 1}));
        fixture.on_core([&] { fixture.service().seal(shard); });
        auto options = options_of(fixture);
        options.credit_bytes = 150'000;
        auto consumer = Consumer::connect(options);
        REQUIRE(consumer.is_ok());
        std::vector<int> seen;
        for (bool has_ended = false; !has_ended;) {
            const auto delivery = consumer->next_batch(20s);
            REQUIRE(delivery.is_ok());
            REQUIRE(delivery->has_value());
            std::size_t bytes = 0;
            for (const auto& record : (*delivery)->records) {
                seen.push_back(std::stoi(record.data));
                bytes += record.data.size();
            }
            CHECK_LE(bytes, 150'000 + 100'000);
            has_ended = (*delivery)->kind == Delivery::Kind::ShardEnded;
            if (has_ended) CHECK_EQ((*delivery)->next_ordinal, 500);
        }
        CHECK_EQ(seen, numbers(0, 500));
    }

    TEST_CASE("a batch that holds no records is reported and passed over") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        put(fixture, "s", 0, 5);
        store(fixture, shard, unreadable_batch(7));
        put(fixture, "s", 12, 20);
        auto consumer = Consumer::connect(options_of(fixture));
        REQUIRE(consumer.is_ok());
        CHECK_EQ(read(*consumer, 5), numbers(0, 5));
        const auto told = consumer->next_batch(20s);
        REQUIRE(told->has_value());
        CHECK(((*told)->kind == Delivery::Kind::Unreadable));
        CHECK_EQ((*told)->next_ordinal, 12);
        CHECK((*told)->reason.find("the records 5 to 11 cannot be read") != std::string::npos);
        CHECK_EQ(read(*consumer, 8), numbers(12, 20));
        CHECK_EQ(consumer->metrics().records_unreadable, 7);

        struct Processor : RecordProcessor {
            void process_records(const Delivery& records, Checkpointer&) override {
                read += records.records.size();
                if (read == 13) worker->shut_down();
            }
            void records_unreadable(const Delivery& where, Checkpointer& checkpointer) override {
                passed_over = where.next_ordinal;
                CHECK(checkpointer.checkpoint().is_ok());
            }
            std::size_t& read;
            std::uint64_t& passed_over;
            Worker*& worker;
            Processor(std::size_t& r, std::uint64_t& p, Worker*& w)
                : read(r), passed_over(p), worker(w) {}
        };
        std::size_t read_records = 0;
        std::uint64_t passed_over = 0;
        Worker* self = nullptr;
        Worker worker(options_of(fixture, "app"),
                      [&] { return std::make_unique<Processor>(read_records, passed_over, self); });
        self = &worker;
        CHECK(worker.run().is_ok());
        CHECK_EQ(read_records, 13);
        CHECK_EQ(passed_over, 12);
        std::uint64_t saved = 0;
        fixture.on_core([&] { saved = fixture.service().checkpoint("app", 0).ordinal; });
        CHECK_EQ(saved, 12);
    }

    TEST_CASE("a stream that does not exist fails at once") {
        DoorFixture fixture;
        const auto consumer = Consumer::connect(options_of(fixture));
        REQUIRE_FALSE(consumer.is_ok());
        CHECK_EQ(consumer.failure().code, "not_found");
    }
}

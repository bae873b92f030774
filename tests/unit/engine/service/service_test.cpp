#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/base/hash_key.h"
#include "engine/catalog/memory_catalog_store.h"
#include "engine/log/local_log_store.h"
#include "engine/reactor/test_reactor.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/sequence.h"
#include "engine/service/shard_iterator.h"

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

/// A service over the real log on a simulated disk; `restart` keeps disk and catalog.
struct Fixture {
    TestReactor reactor;
    MemoryCatalogStore catalog{reactor};
    std::unique_ptr<LocalLogStore> log;
    std::unique_ptr<LocalStreamService> service;

    Fixture() { start(); }
    ~Fixture() { stop(); }
    void start() {
        log = std::make_unique<LocalLogStore>(std::vector<Reactor*>{&reactor}, small_log());
        REQUIRE(reactor.run(log->open()));
        auto started = reactor.run(LocalStreamService::start({&reactor}, *log, catalog));
        REQUIRE(started);
        service = std::move(*started);
    }
    void stop() {
        reactor.run(service->stop());
        reactor.run(log->stop());
        service.reset();
        log.reset();
    }
    Result<StreamPtr> create(std::string name, std::uint32_t shards) {
        CreateStream request;
        request.name = std::move(name);
        request.shard_count = shards;
        return reactor.run(service->create_stream(request));
    }
    Result<StreamPtr> find(std::string name) {
        Result<StreamPtr> found;
        reactor.run_in_turn([&] { found = service->find_stream(name); });
        return found;
    }
};

}  // namespace

TEST_CASE("records go to the shard of their key, in order, and are read back after a restart") {
    Fixture f;
    const auto stream = f.create("s", 4);
    REQUIRE(stream);
    std::vector<std::string> keys;
    for (int i = 0; i < 200; ++i)
        keys.push_back(fmt::format("key {}", i));
    std::vector<PutRecord> records;
    for (const auto& key : keys)
        records.push_back({key, as_bytes(key), std::nullopt});
    records.push_back({"k", as_bytes("explicit"), kUint128Max});
    const auto outcomes = f.reactor.run(f.service->put_records(**stream, records));
    REQUIRE(outcomes.size() == records.size());
    std::map<std::uint32_t, std::vector<std::string>> sent;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        REQUIRE(outcomes[i].append.outcome == Outcome::Committed);
        auto& of_shard = sent[outcomes[i].shard->index];
        CHECK(outcomes[i].append.first_ordinal == of_shard.size());
        of_shard.emplace_back(as_text(records[i].data));
        if (i < keys.size()) CHECK(outcomes[i].shard->range.contains(hash_partition_key(keys[i])));
    }
    CHECK(sent[3].back() == "explicit");
    CHECK(sent.size() == 4);

    f.stop();
    f.start();
    const auto again = f.find("s");
    REQUIRE(again);
    for (const auto& shard : (*again)->shards) {
        const auto read = f.reactor.run(f.service->read(shard.uid, 0, {}));
        REQUIRE(read);
        std::vector<std::string> got;
        for (const auto& batch : read->batches) {
            RecordCursor cursor(RecordBatchView::trusted(batch.bytes));
            for (RecordView record; cursor.next(record);)
                got.emplace_back(as_text(record.data));
        }
        CHECK(got == sent[shard.index]);
    }
}

TEST_CASE("one bad record does not fail the others") {
    Fixture f;
    const auto stream = f.create("s", 1);
    REQUIRE(stream);
    const std::string large(wire_limits::kRecordBytesDefault + 1, 'x');
    const auto outcomes = f.reactor.run(f.service->put_records(
        **stream,
        {{"a", as_bytes("1"), {}}, {"b", as_bytes(large), {}}, {"c", as_bytes("2"), {}}}));
    CHECK(outcomes[0].append.first_ordinal == 0);
    CHECK(outcomes[1].append.outcome == Outcome::Rejected);
    CHECK(outcomes[1].append.error.code == Errc::TooLarge);
    CHECK(outcomes[2].append.first_ordinal == 1);
}

TEST_CASE("streams are created once, deleted for good, and their shards never used again") {
    Fixture f;
    const auto first = f.create("s", 2);
    REQUIRE(first);
    CHECK(f.create("s", 1).error().code == Errc::AlreadyExists);
    CHECK(f.create("a b", 1).error().code == Errc::InvalidArgument);
    CHECK(f.create("t", 0).error().code == Errc::InvalidArgument);
    CHECK(f.create("t", 10'001).error().code == Errc::InvalidArgument);
    REQUIRE(f.reactor.run(f.service->delete_stream("s")));
    CHECK(f.reactor.run(f.service->delete_stream("s")).error().code == Errc::NotFound);
    f.stop();
    f.start();
    CHECK(f.find("s").error().code == Errc::NotFound);
    const auto second = f.create("s", 1);
    REQUIRE(second);
    CHECK((*second)->uid > (*first)->uid);
    CHECK((*second)->shards[0].uid > (*first)->shards[1].uid);
    REQUIRE(f.create("wide", 10'000));
    CHECK((*f.find("wide"))->open.size() == 10'000);
}

TEST_CASE("a lease has one owner until it ends; checkpoints are the owner's and never go back") {
    Fixture f;
    const auto stream = f.create("s", 1);
    REQUIRE(stream);
    const StreamUid uid = (*stream)->uid;
    const auto acquire = [&](const char* owner) {
        return f.reactor.run(f.service->acquire_lease("app", uid, 0, owner, 10s));
    };
    const auto mine = acquire("a");
    REQUIRE(mine);
    CHECK(acquire("b").error().code == Errc::Fenced);
    Checkpoint progress = *mine;
    progress.ordinal = 10;
    REQUIRE(f.reactor.run(f.service->save_checkpoint("app", uid, progress)));
    progress.ordinal = 5;
    REQUIRE(f.reactor.run(f.service->save_checkpoint("app", uid, progress)));
    f.reactor.advance(11s);
    const auto theirs = acquire("b");
    REQUIRE(theirs);
    CHECK(theirs->ordinal == 10);
    progress.ordinal = 20;
    CHECK(f.reactor.run(f.service->save_checkpoint("app", uid, progress)).error().code ==
          Errc::Fenced);
    CHECK(f.reactor.run(f.service->release_lease("app", uid, 0, "a")).error().code == Errc::Fenced);
    REQUIRE(f.reactor.run(f.service->release_lease("app", uid, 0, "b")));
    REQUIRE(acquire("a"));
    CHECK(f.reactor.run(f.service->checkpoints("app", uid))->size() == 1);
    CHECK(f.reactor.run(f.service->checkpoints("ap", uid))->empty());
}

TEST_CASE("an iterator comes back as it was, for five minutes") {
    const TokenSealer sealer(as_bytes("secret"));
    const ShardIterator iterator{.stream_name = "s",
                                 .stream = StreamUid{1},
                                 .shard = ShardUid{2},
                                 .shard_index = 3,
                                 .next = 1ull << 40,
                                 .created = from_millis(1'700'000'000'000)};
    const auto back = open_iterator(sealer, seal_iterator(sealer, iterator));
    REQUIRE(back);
    CHECK((*back == iterator));
    CHECK_FALSE(open_iterator(sealer, "AAAA"));
    CHECK_FALSE(iterator.is_expired(iterator.created + 300s));
    CHECK(iterator.is_expired(iterator.created + 301s));
}

TEST_CASE("reading after a shard's starting sequence number includes its first record") {
    ShardInfo shard;
    shard.created = from_millis(1'700'000'000'000);
    CHECK(ordinal_after(starting_sequence(shard)) == 0);
    CHECK(ordinal_at(sequence_of(shard, 0, shard.created)) == 0);
    CHECK(ordinal_after(sequence_of(shard, 0, shard.created)) == 1);
}

TEST_CASE("a stream's retention and max_bytes change while it runs and outlive a restart") {
    Fixture f;
    const auto stream = f.create("s", 2);
    REQUIRE(stream);
    const std::string text(1000, 'x');
    const auto put = [&](int count) {
        for (int i = 0; i < count; ++i) {
            std::vector<std::string> keys;
            std::vector<PutRecord> records;
            for (int k = 0; k < 100; ++k)
                keys.push_back(fmt::format("{} {}", i, k));
            for (const auto& key : keys)
                records.push_back({key, as_bytes(text), std::nullopt});
            for (const auto& outcome : f.reactor.run(f.service->put_records(**stream, records)))
                REQUIRE(outcome.append.outcome == Outcome::Committed);
        }
    };
    const auto stored = [&] {
        std::uint64_t records = 0;
        for (const auto& shard : (*stream)->shards) {
            const auto tail = f.reactor.run(f.service->tail(shard.uid));
            REQUIRE(tail);
            records += tail->end - tail->trim;
        }
        return records;
    };
    const auto change = [&](RetentionChange what) {
        return f.reactor.run(f.service->set_retention("s", what));
    };
    put(60);
    CHECK(stored() == 6000);
    CHECK(change({.retention = std::chrono::hours{0}, .max_bytes = {}}).error().code ==
          Errc::InvalidArgument);
    CHECK(change({.retention = std::chrono::hours{87'601}, .max_bytes = {}}).error().code ==
          Errc::InvalidArgument);
    CHECK(change({.retention = {}, .max_bytes = 2_MiB - 1}).error().code == Errc::InvalidArgument);
    CHECK(f.reactor.run(f.service->set_retention("none", {})).error().code == Errc::NotFound);
    REQUIRE(change({.retention = std::chrono::hours{87'600}, .max_bytes = 4_MiB}));
    f.reactor.advance(3s);
    CHECK(stored() * 1000 <= 4_MiB);
    CHECK(stored() * 1000 >= 3_MiB);
    f.stop();
    f.start();
    CHECK((*f.find("s"))->max_bytes == 4_MiB);
    CHECK((*f.find("s"))->retention == std::chrono::hours{87'600});
    put(60);
    f.reactor.advance(3s);
    CHECK(stored() * 1000 <= 4_MiB);
    REQUIRE(change({.retention = std::chrono::hours{1}, .max_bytes = 0}));
    f.reactor.advance(1h);
    f.reactor.advance(1s);
    CHECK(stored() == 0);
}

TEST_CASE("a stream deleted just before the end gives its space back after the next start") {
    Fixture f;
    const auto stream = f.create("s", 1);
    REQUIRE(stream);
    const std::string text(1000, 'x');
    for (int i = 0; i < 100; ++i) {
        std::vector<PutRecord> records(50, PutRecord{"k", as_bytes(text), std::nullopt});
        REQUIRE(f.reactor.run(f.service->put_records(**stream, records)).size() == 50);
    }
    REQUIRE(f.reactor.run(f.service->delete_stream("s")));
    f.stop();
    const auto before = f.reactor.storage().used_bytes();
    CHECK(before > 4_MiB);
    f.start();
    f.reactor.advance(60s);
    CHECK(f.reactor.storage().used_bytes() < 2_MiB);
}

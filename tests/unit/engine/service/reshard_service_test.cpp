#include <algorithm>
#include <map>
#include <optional>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/base/hash_key.h"
#include "engine/io/sim_storage.h"
#include "engine/log/local_log_store.h"
#include "engine/reactor/test_reactor.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/sequence.h"
#include "tests/unit/engine/service/mortal_catalog_store.h"
#include "tests/unit/engine/service/seal_refusing_log.h"

using namespace tidemill;

namespace {

LogConfig two_lanes(std::uint64_t seed, LogDurability durability) {
    LogConfig config;
    config.durability = durability;
    config.lane_count = 2;
    config.first_segment_bytes = 1_MiB;
    config.segment_bytes = 2_MiB;
    config.block_bytes = 256_KiB;
    config.seed = seed;
    return config;
}

/// One life of a broker over what stays when it dies.
struct Life {
    TestReactor reactor;
    MortalCatalogStore catalog;
    LocalLogStore log;
    SealRefusingLog seals{log};
    std::unique_ptr<LocalStreamService> service;

    Life(std::shared_ptr<SimStorage> storage, std::shared_ptr<CatalogRows> rows, WallTime now,
         LogDurability durability)
        : reactor(storage),
          catalog(std::move(rows), *storage),
          log(std::vector<Reactor*>{&reactor}, two_lanes(storage->crashes() + 7, durability)) {
        reactor.clock().set_wall(now);
        REQUIRE(reactor.run(log.open()));
        auto started = reactor.run(LocalStreamService::start({&reactor}, seals, catalog));
        REQUIRE_MESSAGE(started, started.error().to_string());
        service = std::move(*started);
    }
    ~Life() {
        reactor.run(service->stop());
        reactor.run(log.stop());
    }
    StreamPtr stream() {
        Result<StreamPtr> found;
        reactor.run_in_turn([&] { found = service->find_stream("s"); });
        REQUIRE(found);
        return *found;
    }
};

/// What was acknowledged to the writer of each key, in the order of its puts.
struct Acknowledged {
    struct Record {
        std::string text;
        std::uint32_t shard = 0;
        Ordinal ordinal = 0;
        std::string sequence_number;
    };
    std::map<std::string, std::vector<Record>> by_key;
    std::uint64_t refused = 0;
};

/// Puts two records a call of one key after the other, until told to stop or refused.
Task<void> write(LocalStreamService* service, std::string key, const bool* is_stopping,
                 Acknowledged* all) {
    auto& mine = all->by_key[key];
    std::uint64_t count = mine.size();
    Reactor& reactor = Reactor::current();
    while (!*is_stopping) {
        // Time passes only while all wait.
        co_await reactor.sleep_until(reactor.clock().mono_now() + std::chrono::microseconds{130});
        const auto stream = service->find_stream("s");
        if (!stream) co_return;
        const std::string texts[] = {fmt::format("{}", count), fmt::format("{}", count + 1)};
        const auto outcomes = co_await service->put_records(
            **stream, {{key, as_bytes(texts[0]), {}}, {key, as_bytes(texts[1]), {}}});
        for (std::size_t i = 0; i < 2; ++i) {
            const auto& [shard, layout, append] = outcomes[i];
            if (append.outcome != Outcome::Committed) {
                ++all->refused;
                co_return;
            }
            CHECK(shard->range.contains(hash_partition_key(key)));
            mine.push_back({texts[i], shard->index, append.first_ordinal,
                            sequence_of(*shard, append.first_ordinal, append.arrival).to_string()});
            ++count;
        }
    }
}

struct World {
    explicit World(std::uint64_t seed) : storage(std::make_shared<SimStorage>(seed)) {}
    std::shared_ptr<SimStorage> storage;
    std::shared_ptr<CatalogRows> rows = std::make_shared<CatalogRows>();
    WallTime now = from_millis(1'700'000'000'000);
    LogDurability durability = LogDurability::Disk;
    std::unique_ptr<Life> life;
    Acknowledged acknowledged;

    void start() { life = std::make_unique<Life>(storage, rows, now, durability); }
    void restart() {
        now = life->reactor.clock().wall_now() + std::chrono::seconds{1};
        life.reset();
        start();
    }
    void create(std::uint32_t shards) {
        CreateStream request;
        request.name = "s";
        request.shard_count = shards;
        REQUIRE(life->reactor.run(life->service->create_stream(request)));
    }
    /// Runs `change` while six keys are written, some before, during and after it.
    Result<StreamPtr> under_load(
        std::function<Task<Result<StreamPtr>>(LocalStreamService&)> change) {
        bool is_stopping = false;
        Gate gate;
        Reactor& reactor = life->reactor;
        auto run = [&]() -> Task<Result<StreamPtr>> {
            for (int i = 0; i < 6; ++i)
                reactor.spawn(gate, write(life->service.get(), fmt::format("key {}", i),
                                          &is_stopping, &acknowledged));
            co_await reactor.sleep_until(reactor.clock().mono_now() + std::chrono::milliseconds{3});
            auto changed = co_await change(*life->service);
            co_await reactor.sleep_until(reactor.clock().mono_now() + std::chrono::milliseconds{3});
            is_stopping = true;
            co_await gate.close();
            co_return changed;
        };
        return life->reactor.run(run());
    }

    /// Reads the shards of a key from its first ancestor to its open shard, parents before
    /// children.
    std::vector<std::string> read_key(const std::string& key) {
        const auto stream = life->stream();
        const uint128 hash = hash_partition_key(key);
        std::vector<std::string> texts;
        for (const auto& shard : stream->shards) {  // by index: parents come first
            if (!shard.range.contains(hash)) continue;
            Ordinal from = 0;
            while (true) {
                const auto read = life->reactor.run(life->service->read(shard.uid, from, {}));
                REQUIRE(read);
                if (!shard.is_open()) {
                    CHECK(read->tail.is_sealed);
                    CHECK(read->tail.end == shard.end_ordinal);
                }
                for (const auto& slice : read->batches) {
                    RecordCursor cursor(RecordBatchView::trusted(slice.bytes));
                    for (RecordView record; cursor.next(record);)
                        if (record.partition_key == key) texts.emplace_back(as_text(record.data));
                }
                if (read->next == from) break;
                from = read->next;
            }
        }
        return texts;
    }

    /// Every acknowledged record is there, in order; only the very last call of a key, whose answer
    /// was lost, may be there beyond them, and then nothing else comes after it.
    void check_records(bool is_clean) {
        std::uint64_t found = 0;
        for (auto& [key, sent] : acknowledged.by_key) {
            CAPTURE(key);
            const auto texts = read_key(key);
            found += texts.size();
            if (is_clean)
                CHECK(texts.size() == sent.size());
            else
                CHECK(texts.size() <= sent.size() + 2);
            REQUIRE(texts.size() >= sent.size());
            for (std::size_t i = 0; i < texts.size(); ++i)
                REQUIRE(texts[i] == fmt::format("{}", i));
            std::string last;
            for (const auto& record : sent) {
                if (record.sequence_number.empty()) continue;
                CHECK(last < record.sequence_number);
                last = record.sequence_number;
            }
            sent.resize(texts.size());  // found without having been acknowledged
        }
        CHECK(found > 0);
    }
};

using Change = std::function<Task<Result<StreamPtr>>(LocalStreamService&)>;

const std::pair<const char*, Change> kChanges[] = {
    {"split", [](LocalStreamService& s) { return s.split_shard("s", 1, std::nullopt); }},
    {"merge", [](LocalStreamService& s) { return s.merge_shards("s", 0, 1); }},
    {"scale up", [](LocalStreamService& s) { return s.scale_stream("s", 5); }},
    {"scale down", [](LocalStreamService& s) { return s.scale_stream("s", 1); }},
};

}  // namespace

TEST_CASE("keys keep their order through split, merge and scale while they are written") {
    for (const auto& [name, change] : kChanges) {
        CAPTURE(name);
        World world(11);
        world.start();
        world.create(3);
        const auto changed = world.under_load(change);
        REQUIRE(changed);
        CHECK((*changed)->status == StreamStatus::Active);
        CHECK_FALSE((*changed)->reshard);
        CHECK(world.acknowledged.refused == 0);
        world.check_records(true);
        for (const auto& [key, records] : world.acknowledged.by_key) {
            const auto is_child = [](const auto& record) { return record.shard >= 3; };
            const auto child = std::ranges::find_if(records, is_child);
            CHECK(std::all_of(child, records.end(), is_child));
        }
        world.restart();
        world.check_records(true);
        CHECK(world.life->stream()->shards.size() == (*changed)->shards.size());
        for (const auto& shard : world.life->stream()->shards)
            if (!shard.is_open()) {
                std::vector<PutRecord> none;
                Result<ShardWriter*> writer = fail(Errc::Internal, "");
                world.life->reactor.run_in_turn(
                    [&] { writer = world.life->service->writer(shard.uid); });
                REQUIRE(writer);
                RecordBatchBuilder builder;
                builder.add("k", as_bytes(std::string_view("late")));
                const auto late = world.life->reactor.run((*writer)->append(builder.finish()));
                CHECK(late.outcome == Outcome::Rejected);
                CHECK(late.error.code == Errc::ShardClosed);
            }
    }
}

TEST_CASE("the power goes at any moment of a reshard: all of it has happened, or nothing") {
    std::uint64_t lives = 0, completed = 0, untouched = 0;
    for (const auto& [name, change] : kChanges) {
        for (std::uint64_t point = 0; point < 60; ++point) {
            CAPTURE(name);
            CAPTURE(point);
            World world(100 + point);
            world.start();
            world.create(3);
            // First the commits of the catalog, before and after each; then every call of the disk.
            const auto with_death = [&](LocalStreamService& service) {
                if (point < 4)
                    world.life->catalog.die_at_commit(
                        point / 2, point % 2 == 0 ? MortalCatalogStore::Death::BeforeCommit
                                                  : MortalCatalogStore::Death::AfterCommit);
                else
                    world.storage->crash_after(point - 4);
                return change(service);
            };
            const auto changed = world.under_load(with_death);
            world.storage->crash_after(std::uint64_t{1} << 60);  // too late: it has survived
            ++lives;
            world.restart();
            const StreamPtr stream = world.life->stream();
            CHECK(stream->status == StreamStatus::Active);
            CHECK_FALSE(stream->reshard);
            if (changed) CHECK(stream->shards.size() == (*changed)->shards.size());
            (stream->shards.size() > 3 ? completed : untouched) += 1;
            world.check_records(false);
            // Life goes on: keys are written, and shards changed again.
            world.acknowledged.refused = 0;
            const auto again =
                world.under_load([](LocalStreamService& s) { return s.scale_stream("s", 4); });
            REQUIRE(again);
            CHECK(world.acknowledged.refused == 0);
            CHECK((*again)->open.size() == 4);
            world.check_records(false);
        }
    }
    CHECK(lives == 240);
    CHECK(completed > 20);
    CHECK(untouched > 20);
}

TEST_CASE("what the catalog cannot write is written later; other changes go on meanwhile") {
    World world(3);
    world.start();
    world.create(2);
    Life& life = *world.life;
    // The intent fails: nothing happens.
    life.catalog.fail_commits(1, Errc::NoSpace);
    CHECK(life.reactor.run(life.service->split_shard("s", 0, std::nullopt)).error().code ==
          Errc::NoSpace);
    CHECK(life.stream()->status == StreamStatus::Active);
    CHECK(life.stream()->shards.size() == 2);

    auto split_with_trouble = [&]() -> Task<Result<StreamPtr>> {
        // The intent is written, the new layout not for a while.
        const auto commits = life.catalog.commits();
        Gate gate;
        Result<StreamPtr> split = fail(Errc::Internal, "not ended");
        auto run = [](LocalStreamService* service, Result<StreamPtr>* to) -> Task<void> {
            *to = co_await service->split_shard("s", 0, std::nullopt);
        };
        life.reactor.spawn(gate, run(life.service.get(), &split));
        while (life.catalog.commits() == commits)
            co_await life.reactor.sleep_until(life.reactor.clock().mono_now() +
                                              std::chrono::microseconds{100});
        life.catalog.fail_commits(3, Errc::IoFailed);
        co_await gate.close();
        co_return split;
    };
    const auto split = life.reactor.run(split_with_trouble());
    REQUIRE(split);
    CHECK((*split)->open.size() == 3);
    world.restart();
    CHECK(world.life->stream()->open.size() == 3);
}

TEST_CASE("a reshard whose parents the log cannot close is withdrawn, and uses up no shard id") {
    World world(5);
    world.start();
    world.create(1);
    Life& life = *world.life;
    life.seals.refusal = Errc::NoSpace;
    const auto began = life.reactor.clock().mono_now();
    const auto split = world.under_load(
        [](LocalStreamService& service) { return service.split_shard("s", 0, std::nullopt); });
    REQUIRE_FALSE(split);
    CHECK(split.error().code == Errc::NoSpace);
    CHECK(life.reactor.clock().mono_now() - began < std::chrono::seconds{6});
    CHECK(life.stream()->status == StreamStatus::Active);
    CHECK(life.stream()->shards.size() == 1);
    CHECK(life.service->reshard_stats().withdrawn == 1);
    CHECK(world.acknowledged.refused == 0);
    world.check_records(true);
    life.seals.refusal.reset();
    const auto again = life.reactor.run(life.service->scale_stream("s", 2));
    REQUIRE(again);
    CHECK((*again)->shards.back().index == 2);
}

TEST_CASE("a reshard whose parents may be closed goes on until it is done, over a restart too") {
    for (const bool restarts : {false, true}) {
        CAPTURE(restarts);
        World world(5);
        world.start();
        world.create(1);
        Life& life = *world.life;
        life.seals.refusal = Errc::IoFailed;  // nobody knows
        const auto split = life.reactor.run(life.service->split_shard("s", 0, std::nullopt));
        CHECK(split.error().code == Errc::Timeout);
        CHECK(life.stream()->status == StreamStatus::Updating);
        CHECK(life.reactor.run(life.service->merge_shards("s", 0, 1)).error().code ==
              Errc::ResourceInUse);
        REQUIRE(life.reactor.run(life.service->set_retention("s", {std::chrono::hours{30}, {}})));
        if (restarts) {
            world.restart();
        } else {
            life.seals.refusal.reset();
            life.reactor.advance(std::chrono::seconds{1});
        }
        CHECK(world.life->stream()->status == StreamStatus::Active);
        CHECK(world.life->stream()->open.size() == 2);
        CHECK(world.life->stream()->retention == std::chrono::hours{30});
    }
}

TEST_CASE("with durability memory a lost seal is made again at the start") {
    World world(7);
    world.durability = LogDurability::Memory;
    world.start();
    world.create(1);
    Life& life = *world.life;
    const auto stream = life.stream();
    // The disk takes nothing more, and then the power goes: what was acknowledged is lost.
    auto split_and_die = [&]() -> Task<Result<StreamPtr>> {
        world.storage->set_manual(true);
        auto split = co_await life.service->split_shard("s", 0, std::nullopt);
        world.storage->crash();
        world.storage->set_manual(false);
        co_return split;
    };
    REQUIRE(life.reactor.run(split_and_die()));
    world.restart();
    CHECK(world.life->stream()->open.size() == 2);
    const auto tail = world.life->reactor.run(world.life->service->tail(stream->shards[0].uid));
    REQUIRE(tail);
    CHECK(tail->is_sealed);
}

TEST_CASE("one reshard a stream at a time; its limits and names are checked") {
    World world(6);
    world.start();
    world.create(2);
    Life& life = *world.life;
    auto two_at_once = [&]() -> Task<std::pair<Result<StreamPtr>, Result<StreamPtr>>> {
        Gate gate;
        Result<StreamPtr> first = fail(Errc::Internal, ""), second = first;
        auto run = [](LocalStreamService* service, Result<StreamPtr>* to) -> Task<void> {
            *to = co_await service->split_shard("s", 0, std::nullopt);
        };
        life.reactor.spawn(gate, run(life.service.get(), &first));
        life.reactor.spawn(gate, run(life.service.get(), &second));
        co_await gate.close();
        co_return std::pair{std::move(first), std::move(second)};
    };
    const auto [first, second] = life.reactor.run(two_at_once());
    CHECK(first);
    CHECK(second.error().code == Errc::ResourceInUse);
    CHECK(life.stream()->open.size() == 3);

    auto& service = *life.service;
    CHECK(life.reactor.run(service.split_shard("t", 0, {})).error().code == Errc::NotFound);
    CHECK(life.reactor.run(service.split_shard("s", 9, {})).error().code == Errc::NotFound);
    CHECK(life.reactor.run(service.split_shard("s", 0, {})).error().code == Errc::InvalidArgument);
    CHECK(life.reactor.run(service.merge_shards("s", 1, 2)).error().code == Errc::InvalidArgument);
    CHECK(life.reactor.run(service.scale_stream("s", 0)).error().code == Errc::InvalidArgument);
    CHECK(life.reactor.run(service.scale_stream("s", 10'001)).error().code ==
          Errc::InvalidArgument);
    const auto same = life.reactor.run(service.scale_stream("s", 2));
    REQUIRE(same);
    CHECK((*same)->open.size() == 2);
    const auto commits = life.catalog.commits();
    REQUIRE(life.reactor.run(service.scale_stream("s", 2)));
    CHECK(life.catalog.commits() <= commits + 1);
    CHECK(life.stream()->shards.size() == (*same)->shards.size());
}

TEST_CASE("a stream deleted amid its reshard is gone, and its name free for another") {
    for (int delay_us = 0; delay_us < 5000; delay_us += 250) {
        CAPTURE(delay_us);
        World world(9);
        world.start();
        world.create(2);
        Life& life = *world.life;
        auto run = [&]() -> Task<Status> {
            Gate gate;
            auto split = [](LocalStreamService* service) -> Task<void> {
                (void)co_await service->split_shard("s", 0, std::nullopt);
            };
            life.reactor.spawn(gate, split(life.service.get()));
            co_await life.reactor.sleep_until(life.reactor.clock().mono_now() +
                                              std::chrono::microseconds{delay_us});
            auto deleted = co_await life.service->delete_stream("s");
            co_await gate.close();
            co_return deleted;
        };
        REQUIRE(life.reactor.run(run()));
        world.create(3);
        CHECK(life.stream()->shards.size() == 3);
        world.restart();
        CHECK(world.life->stream()->shards.size() == 3);
    }
}

TEST_CASE("closed shards leave the list once their records have expired; ids are not used again") {
    World world(12);
    world.start();
    world.create(1);
    REQUIRE(world.under_load(kChanges[2].second));  // to 5 shards
    Life& life = *world.life;
    REQUIRE(life.reactor.run(
        life.service->acquire_lease("app", life.stream()->uid, 0, "w", std::chrono::seconds{1})));
    const ShardUid parent = life.stream()->shards.front().uid;
    life.reactor.advance(std::chrono::hours{23});
    CHECK(life.stream()->shards.size() == 6);
    life.reactor.advance(std::chrono::hours{2});
    CHECK(life.stream()->shards.size() == 5);
    CHECK(life.stream()->shards.front().index == 1);
    CHECK(life.stream()->shards.front().parent == 0u);
    CHECK(life.reactor.run(life.service->read(parent, 0, {})).error().code == Errc::NotFound);
    CHECK(life.reactor.run(life.service->checkpoints("app", life.stream()->uid))->empty());
    const auto scaled = life.reactor.run(life.service->scale_stream("s", 6));
    REQUIRE(scaled);
    CHECK((*scaled)->shards.back().index == 11);
    world.restart();
    CHECK(world.life->stream()->shards.size() == (*scaled)->shards.size());
}

TEST_CASE("ten thousand shards are made in one step, spread over the lanes") {
    World world(13);
    world.start();
    world.create(1);
    Life& life = *world.life;
    const auto wide = life.reactor.run(life.service->scale_stream("s", 10'000));
    REQUIRE(wide);
    CHECK((*wide)->open.size() == 10'000);
    std::map<std::uint32_t, int> of_lane;
    for (const auto position : (*wide)->open)
        ++of_lane[life.log.lane_of((*wide)->shards[position].uid).value];
    CHECK(of_lane[0] == 5000);
    CHECK(of_lane[1] == 5000);
    const auto narrow = life.reactor.run(life.service->scale_stream("s", 3));
    REQUIRE(narrow);
    CHECK((*narrow)->open.size() == 3);
    world.restart();
    CHECK(world.life->stream()->open.size() == 3);
}

#include <cerrno>
#include <optional>

#include <doctest/doctest.h>

#include "engine/log/verify.h"
#include "tests/unit/engine/log/log_fixture.h"

using namespace tidemill;
using namespace tidemill::test;

namespace {

bool mentions(const LogProcess& process, const std::string& word) {
    return std::ranges::any_of(
        process.reports, [&](const auto& text) { return text.find(word) != std::string::npos; });
}

Task<void> seal(LogStore* store, std::optional<Result<TailInfo>>* ended) {
    *ended = co_await store->seal(ShardUid{1}, {});
}

Task<void> stop(LocalLogStore* store, bool* is_stopped) {
    co_await store->stop();
    *is_stopped = true;
}

}  // namespace

TEST_SUITE("log/faults") {
    TEST_CASE("a failed write ends as Unknown, and the lane reopens and goes on") {
        auto storage = std::make_shared<SimStorage>(5);
        LogProcess process(storage);
        REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
        process.reactor.run_until_idle();
        storage->fail_next(SimCall::Write, EIO);
        const auto failed = process.append(1, 5);
        CHECK_EQ(failed.outcome, Outcome::Unknown);
        CHECK_EQ(failed.error.code, Errc::IoFailed);
        // The same appended again succeeds once the lane is open; what was unknown may be there or
        // not.
        process.reactor.advance(1s);
        CHECK_EQ(process.stats().reopened, 1);
        process.next[1] = process.tail(1)->end;
        CHECK_GE(process.next[1], 5);
        CHECK_EQ(process.append(1, 5).outcome, Outcome::Committed);
        CHECK_EQ(process.verify(1).value_or(0), process.next[1]);
    }

    TEST_CASE("durability memory: what is written behind what power has taken can be read") {
        auto storage = std::make_shared<SimStorage>(5);
        auto config = small_log();
        config.durability = LogDurability::Memory;
        for (const bool is_sealed : {false, true}) {
            CAPTURE(is_sealed);
            Ordinal acknowledged = 0;
            {
                LogProcess process(storage, config);
                REQUIRE(process.opened.has_value());
                acknowledged = process.next[1] = process.tail(1)->end;
                process.reactor.run_until_idle();
                storage->set_manual(true);
                // More than the first segment takes, and all of it trimmed before it is written.
                for (int i = 0; i < 40; ++i)
                    REQUIRE_EQ(process.append(1, 3, 20'000).outcome, Outcome::Committed);
                REQUIRE(process.trim(1, process.next[1]).has_value());
                if (is_sealed)
                    REQUIRE(process.reactor.run(process.store->seal(ShardUid{1}, {})).has_value());
                acknowledged = process.next[1];
                storage->set_manual(false);
                while (storage->step())
                    process.reactor.run_until_idle();
                CHECK_GT(process.stats().segments, 1);
                storage->crash(PowerLoss::LoseAll);
                process.reactor.run_until_idle();
            }
            LogProcess again(storage, config);
            REQUIRE(again.opened.has_value());
            const auto tail = again.tail(1);
            REQUIRE(tail.has_value());
            CHECK_LT(tail->end, acknowledged);
            CHECK_LE(tail->trim, tail->end);
            CHECK_FALSE(tail->is_sealed);
            again.next[1] = tail->end;
            const auto appended = again.append(1, 2);
            REQUIRE_EQ(appended.outcome, Outcome::Committed);
            CHECK_EQ(appended.first_ordinal, tail->end);
            CHECK_EQ(again.verify(1, appended.first_ordinal).value_or(0), tail->end + 2);
            CHECK_FALSE(again.read(1, appended.first_ordinal)->batches.empty());
        }
    }

    TEST_CASE("durability memory: after a failed write ordinals go on where the shard ends") {
        auto storage = std::make_shared<SimStorage>(5);
        auto config = small_log();
        config.durability = LogDurability::Memory;
        LogProcess process(storage, config);
        for (std::uint64_t round = 0; round < 12; ++round) {
            CAPTURE(round);
            process.reactor.advance(5s);  // nothing of the log's own is under way
            process.next[1] = process.tail(1)->end;
            storage->set_manual(true);
            for (int i = 0; i < 10; ++i)
                REQUIRE_EQ(process.append(1, 3, 20'000).outcome, Outcome::Committed);
            storage->fail_next(SimCall::Write, EIO, round % 3);
            storage->set_manual(false);
            while (storage->step())
                process.reactor.run_until_idle();
            process.reactor.advance(5s);
            const auto tail = process.tail(1);
            REQUIRE(tail.has_value());
            CHECK_LE(tail->end, process.next[1]);
            process.next[1] = tail->end;
            const auto appended = process.append(1, 2);
            REQUIRE_EQ(appended.outcome, Outcome::Committed);
            CHECK_EQ(appended.first_ordinal, tail->end);
            CHECK_EQ(process.tail(1)->end, tail->end + 2);
            const auto verified = process.verify(1);
            REQUIRE_MESSAGE(verified.has_value(), (verified ? "" : verified.error().to_string()));
            CHECK_EQ(*verified, tail->end + 2);
        }
        CHECK_GE(process.stats().reopened, 6);
    }

    TEST_CASE("a full disk refuses, loses nothing, and takes writes again when there is room") {
        auto storage = std::make_shared<SimStorage>(5);
        LogProcess process(storage);
        REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
        process.reactor.run_until_idle();
        storage->set_capacity(storage->used_bytes());
        AppendResult refused;
        for (int i = 0; i < 200; ++i) {
            refused = process.append(1, 20, 1000);
            if (refused.outcome != Outcome::Committed) break;
        }
        CHECK_EQ(refused.outcome, Outcome::Rejected);
        CHECK_EQ(refused.error.code, Errc::NoSpace);
        const Ordinal end = process.next[1];
        CHECK_EQ(process.tail(1)->end, end);
        CHECK_EQ(process.verify(1).value_or(0), end);
        CHECK_EQ(process.append(1).error.code, Errc::NoSpace);
        storage->set_capacity(UINT64_MAX);
        process.reactor.advance(2s);
        const auto again = process.append(1, 5);
        CHECK_EQ(again.outcome, Outcome::Committed);
        CHECK_EQ(again.first_ordinal, end);
        CHECK_EQ(process.verify(1).value_or(0), end + 5);
    }

    TEST_CASE("a seal that a failed write has met ends, and the shard is sealed by another try") {
        auto storage = std::make_shared<SimStorage>(5);
        LogProcess process(storage);
        REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
        process.reactor.run_until_idle();
        storage->fail_next(SimCall::Write, EIO);
        const auto failed = process.reactor.run(process.store->seal(ShardUid{1}, {}));
        REQUIRE_FALSE(failed.has_value());
        CHECK_EQ(failed.error().code, Errc::IoFailed);
        process.reactor.advance(1s);
        CHECK_EQ(process.stats().reopened, 1);
        const auto sealed = process.reactor.run(
            process.store->seal_shards({ShardUid{1}, ShardUid{2}, ShardUid{9}}, {}));
        REQUIRE_EQ(sealed.size(), 3);
        REQUIRE(sealed[0].has_value());
        CHECK_EQ(sealed[0]->end, 5);
        CHECK(sealed[0]->is_sealed);
        REQUIRE(sealed[1].has_value());
        CHECK_EQ(sealed[2].error().code, Errc::NotFound);
        CHECK_EQ(process.append(1).error.code, Errc::ShardClosed);
        CHECK_EQ(process.append(3).outcome, Outcome::Committed);
    }

    TEST_CASE("a seal that could not be written for want of room leaves the shard open") {
        auto storage = std::make_shared<SimStorage>(5);
        LogProcess process(storage);
        REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
        process.reactor.run_until_idle();
        storage->set_capacity(storage->used_bytes());
        while (process.append(1, 20, 1000).outcome == Outcome::Committed) {
        }
        // Controls have room of their own behind what producers may fill: a seal goes through, and
        // so do trims until it is full too.
        CHECK(process.reactor.run(process.store->seal(ShardUid{2}, {})).has_value());
        Ordinal trimmed = 1;
        while (process.trim(1, trimmed).has_value())
            REQUIRE_LT(++trimmed, process.next[1]);
        CHECK_GT(trimmed, 100);
        const auto refused = process.reactor.run(process.store->seal(ShardUid{1}, {}));
        REQUIRE_FALSE(refused.has_value());
        CHECK_EQ(refused.error().code, Errc::NoSpace);
        storage->set_capacity(UINT64_MAX);
        process.reactor.advance(2s);
        CHECK_EQ(process.append(1).outcome, Outcome::Committed);
    }

    TEST_CASE("a stop ends a seal that a failed write has met") {
        auto storage = std::make_shared<SimStorage>(5);
        LogProcess process(storage);
        REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
        process.reactor.run_until_idle();
        Gate gate;
        std::optional<Result<TailInfo>> sealed;
        bool is_stopped = false;
        storage->set_manual(true);
        storage->fail_next(SimCall::Write, EIO);
        process.reactor.run_in_turn(
            [&] { process.reactor.spawn(gate, seal(process.store.get(), &sealed)); });
        process.is_stopped = true;
        process.reactor.run_in_turn(
            [&] { process.reactor.spawn(gate, stop(process.store.get(), &is_stopped)); });
        CHECK_FALSE(sealed.has_value());
        storage->set_manual(false);
        while (storage->step())
            process.reactor.run_until_idle();
        process.reactor.advance(1s);
        CHECK(is_stopped);
        REQUIRE(sealed.has_value());
        CHECK_EQ(sealed->error().code, Errc::IoFailed);
    }

    TEST_CASE("the disk budget is kept") {
        auto config = small_log();
        config.disk_budget_bytes = 4_MiB;
        LogProcess process(std::make_shared<SimStorage>(5), config);
        AppendResult result;
        for (int i = 0; i < 400; ++i) {
            result = process.append(1, 20, 1000);
            if (result.outcome != Outcome::Committed) break;
        }
        CHECK_EQ(result.error.code, Errc::NoSpace);
        CHECK_LE(process.stats().segment_bytes,
                 4_MiB + 64_KiB);  // a footer may stand behind a full segment
        CHECK_EQ(process.verify(1).value_or(0), process.next[1]);
    }

    TEST_CASE("more than may wait for the disk is throttled") {
        auto config = small_log();
        config.pending_bytes_max = 100'000;
        LogProcess process(std::make_shared<SimStorage>(5), config);
        process.append(1);
        std::vector<std::unique_ptr<TestAppend>> appends;
        auto& writer = process.writer(1);
        process.reactor.run_in_turn([&] {
            for (Ordinal i = 0; i < 20; ++i) {
                appends.push_back(std::make_unique<TestAppend>(
                    ShardUid{1}, make_batch(ShardUid{1}, 1 + i * 10, 10, 1000)));
                writer.submit(*appends.back());
            }
        });
        CHECK_EQ(appends.front()->result.outcome, Outcome::Committed);
        CHECK_EQ(appends.back()->result.outcome, Outcome::Rejected);
        CHECK_EQ(appends.back()->result.error.code, Errc::Throttled);
        CHECK_EQ(process.verify(1).value_or(0), process.tail(1)->end);
    }

    TEST_CASE(
        "a flipped bit in an old segment is reported by reads and by verify, and its neighbours "
        "are served") {
        auto storage = std::make_shared<SimStorage>(5);
        Ordinal end = 0;
        {
            LogProcess process(storage);
            for (int i = 0; i < 150; ++i)
                process.append(1, 20, 1000);
            end = process.next[1];
        }
        std::string file;
        std::uint64_t at = 0;
        Ordinal lost = 0;
        {
            TestReactor reactor(storage);
            int n = 0;
            const auto report = reactor.run(
                verify_log(reactor.disk(), "log",
                           [&](const auto& segment, const auto& commit, const auto& entry, bool) {
                               if (++n != 20) return;
                               file = segment.file;
                               at = commit.position + entry.offset + 500;
                               lost = entry.first_ordinal;
                           }));
            REQUIRE(report.has_value());
            CHECK_MESSAGE(report->is_sound(), to_text(*report));
            CHECK_EQ(report->lanes[0].shards, 1);
        }
        storage->flip_bit(file, at, 3);
        {
            TestReactor reactor(storage);
            const auto report = reactor.run(verify_log(reactor.disk(), "log"));
            REQUIRE(report.has_value());
            CHECK_FALSE(report->is_sound());
        }
        LogProcess process(storage);
        const auto read = process.verify(1);
        REQUIRE_FALSE(read.has_value());
        CHECK_EQ(read.error().code, Errc::Corrupt);
        CHECK_EQ(process.read(1, lost).error().code, Errc::Corrupt);
        CHECK_EQ(process.verify(1, lost + 20).value_or(0), end);
    }

    TEST_CASE("a flipped bit in the commit that carries them costs neither a seal nor a trim") {
        constexpr std::uint64_t kBytes = sizeof(CommitHeader) + sizeof(DirectoryEntry);
        for (std::uint64_t i = 0; i < 2 * kBytes; ++i) {
            const std::uint64_t byte = i / 2;
            CAPTURE(byte);
            auto storage = std::make_shared<SimStorage>(byte + 1);
            {
                LogProcess process(storage);
                REQUIRE_EQ(process.append(1, 20).outcome, Outcome::Committed);
                REQUIRE(process.trim(1, 7).has_value());
                REQUIRE(process.reactor.run(process.store->seal(ShardUid{1}, {})).has_value());
                REQUIRE_EQ(process.append(2, 20).outcome, Outcome::Committed);  // proves them
                storage->crash();
            }
            std::string file;
            std::vector<std::uint64_t> commits;  // of the trim and of the seal
            {
                TestReactor reactor(storage);
                const auto report = reactor.run(verify_log(
                    reactor.disk(), "log",
                    [&](const auto& segment, const auto& commit, const auto& entry, bool) {
                        file = segment.file;
                        if (entry.is_control()) commits.push_back(commit.position);
                    }));
                REQUIRE(report.has_value());
                REQUIRE_EQ(commits.size(), 2);
            }
            storage->flip_bit(file, commits[i % 2] + byte, static_cast<unsigned>(byte % 8));
            LogProcess process(storage);
            CHECK(mentions(process, "is damaged"));
            const auto tail = process.tail(1);
            REQUIRE(tail.has_value());
            CHECK_EQ(tail->trim, 7);
            CHECK_EQ(tail->end, 20);
            CHECK(tail->is_sealed);
        }
    }

    TEST_CASE(
        "in the oldest segment what damage has taken is told from what went with older segments") {
        for (const std::size_t which : {0u, 3u}) {
            CAPTURE(which);
            auto storage = std::make_shared<SimStorage>(6);
            Ordinal end = 0;
            {
                LogProcess process(storage);
                while (process.stats().segments < 2)
                    process.append(1, 20, 1000);
                process.reactor.advance(2h);
                for (int i = 0; i < 10; ++i)
                    process.append(1, 20, 1000);
                end = process.next[1];
                storage->crash(PowerLoss::KeepAll);
            }
            struct Place {
                std::string file;
                std::uint64_t directory;
                Ordinal begin, end;
            };
            std::vector<Place> newest;
            {
                TestReactor reactor(storage);
                REQUIRE(
                    reactor
                        .run(verify_log(
                            reactor.disk(), "log",
                            [&](const auto& segment, const auto& commit, const auto& entry, bool) {
                                if (!newest.empty() && newest.back().file != segment.file)
                                    newest.clear();
                                newest.push_back(
                                    {segment.file, commit.position + commit.header.directory_offset,
                                     entry.first_ordinal, entry.first_ordinal + entry.count});
                            }))
                        .has_value());
            }
            REQUIRE_GT(newest.size(), 5);
            const Place lost = newest[which];
            storage->flip_bit(lost.file, lost.directory + 9, 2);
            {
                LogProcess process(storage);
                process.configure(1, {.retention = 1h});
                process.reactor.advance(2h);
                CHECK_EQ(process.stats().segments, 1);
            }
            LogProcess process(storage);  // nobody has told it what had expired
            CHECK_EQ(process.stats().segments, 1);
            if (which == 0) {
                CHECK_EQ(process.read(1, 0).error().code, Errc::Corrupt);
                CHECK_EQ(process.tail(1)->trim, lost.begin);
            } else {
                const auto first = process.read(1, 0, {.bytes = 1});
                REQUIRE_MESSAGE(first.has_value(), (first ? "" : first.error().to_string()));
                CHECK_EQ(first->tail.trim, newest[0].begin);
                CHECK_EQ(first->next, newest[0].end);
            }
            CHECK_EQ(process.read(1, lost.begin).error().code, Errc::Corrupt);
            CHECK_EQ(process.verify(1, lost.end).value_or(0), end);
        }
    }

    TEST_CASE("a destroyed footer is rebuilt by a scan") {
        auto storage = std::make_shared<SimStorage>(5);
        Ordinal end = 0;
        {
            LogProcess process(storage);
            for (int i = 0; i < 150; ++i)
                process.append(i % 2 == 0 ? 1 : 2, 20, 1000);
            end = process.next[1];
        }
        // Both copies of every seal, and so every footer.
        for (int n = 1;; ++n) {
            const auto name = fmt::format("log/lane-0000/file-{:06}", n);
            if (!storage->contents(name)) break;
            storage->flip_bit(name, 4096 + 20, 0);
            storage->flip_bit(name, 4096 + 2048 + 20, 0);
        }
        LogProcess process(storage);
        REQUIRE(process.opened.has_value());
        CHECK_EQ(process.verify(1).value_or(0), end);
        CHECK_EQ(process.verify(2).value_or(0), end);
        process.next[1] = end;
        CHECK_EQ(process.append(1).first_ordinal, end);
    }

    TEST_CASE(
        "an end that was in flight at the crash is there whole or dropped, and a torn one is "
        "said") {
        int torn = 0;
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            CAPTURE(seed);
            auto storage = std::make_shared<SimStorage>(seed);
            LogProcess process(storage);
            process.append(1, 5);
            auto& writer = process.writer(1);
            storage->set_manual(true);
            TestAppend append(ShardUid{1}, make_batch(ShardUid{1}, 5, 200, 1000));
            process.reactor.run_in_turn([&] { writer.submit(append); });
            CHECK_FALSE(append.is_done);
            storage->crash(PowerLoss::Chance);
            storage->set_manual(false);
            process.stop();
            CHECK(append.is_done);
            CHECK_NE(append.result.outcome, Outcome::Committed);
            LogProcess again(storage);
            const auto end = again.verify(1).value_or(0);
            CHECK((end == 5 || end == 205));
            if (end == 5 && mentions(again, "dropped")) ++torn;
        }
        CHECK_GT(torn, 0);
    }

    TEST_CASE(
        "a start whose directory sync failed leaves nothing that a later loss of power undoes") {
        auto storage = std::make_shared<SimStorage>(5);
        storage->fail_next(SimCall::Directory, EIO, 3);
        {
            LogProcess first(storage);
            REQUIRE_FALSE(first.opened.has_value());
        }
        {
            LogProcess process(storage);
            REQUIRE(process.opened.has_value());
            REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
            storage->crash(PowerLoss::LoseAll);
        }
        LogProcess process(storage);
        CHECK_EQ(process.verify(1).value_or(0), 5);
    }

    TEST_CASE("what a recovery serves is durable even where a sync has failed before") {
        auto storage = std::make_shared<SimStorage>(5);
        {
            LogProcess process(storage);
            REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
            // The commit lands, and the process dies before it is durable.
            process.reactor.run_until_idle();
            storage->set_manual(true);
            TestAppend append(ShardUid{1}, make_batch(ShardUid{1}, 5, 5, 100));
            auto& writer = process.writer(1);
            process.reactor.run_in_turn([&] { writer.submit(append); });
            storage->crash(PowerLoss::ProcessOnly);
            storage->set_manual(false);
            process.reactor.run_until_idle();
        }
        Ordinal served = 0;
        {
            storage->fail_next(SimCall::Sync, EIO);
            LogProcess process(storage);
            if (!process.opened) return;
            served = process.verify(1).value_or(0);
            CHECK_GE(served, 5);
            storage->crash(PowerLoss::LoseAll);
        }
        LogProcess process(storage);
        CHECK_EQ(process.verify(1).value_or(0), served);
    }

    TEST_CASE("a log without its superblock is refused, not begun again") {
        auto storage = std::make_shared<SimStorage>(5);
        {
            LogProcess process(storage);
            REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
        }
        for (const std::uint64_t at : {10u, 2058u})
            storage->flip_bit("log/superblock", at, 1);
        const LogProcess process(storage);
        REQUIRE_FALSE(process.opened.has_value());
        CHECK_EQ(process.opened.error().code, Errc::Corrupt);
    }
}

#include "engine/io/sim_storage.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/io/buffer.h"
#include "engine/reactor/test_reactor.h"

using namespace tidemill;

namespace {

constexpr OpenMode kNew{.create = true};

Buffer filled(std::size_t bytes, int value) {
    Buffer buffer = Buffer::allocate(bytes);
    std::ranges::fill(buffer.bytes(), static_cast<std::byte>(value));
    return buffer;
}

std::unique_ptr<File> open(TestReactor& reactor, const std::string& name, OpenMode mode = kNew) {
    auto file = reactor.disk().open(name, mode);
    REQUIRE(file.has_value());
    return std::move(*file);
}

Status write(TestReactor& reactor, File& file, std::uint64_t offset, const Buffer& bytes,
             Persistence persistence = Persistence::Durable) {
    return reactor.run(file.write(offset, bytes.bytes(), persistence));
}

Task<void> write_and_note(File& file, std::uint64_t offset, Bytes bytes, Persistence persistence,
                          std::vector<std::uint64_t>& ended, std::size_t& failed) {
    auto status = co_await file.write(offset, bytes, persistence);
    if (status) {
        ended.push_back(offset);
    } else {
        ++failed;
    }
}

/// The values of the 512-byte sectors of a file; -1 for a sector that holds more than one.
std::vector<int> sectors(const SimStorage& storage, const std::string& name) {
    const auto bytes = storage.contents(name).value();
    std::vector<int> values;
    for (std::size_t at = 0; at < bytes.size(); at += kSimSector) {
        const Bytes sector = Bytes(bytes).subspan(at, std::min(kSimSector, bytes.size() - at));
        const bool is_one = std::ranges::all_of(sector, [&](auto b) { return b == sector[0]; });
        values.push_back(is_one ? static_cast<int>(sector[0]) : -1);
    }
    return values;
}

std::shared_ptr<SimStorage> storage_of(std::uint64_t seed) {
    return std::make_shared<SimStorage>(seed);
}

}  // namespace

TEST_SUITE("engine/io/sim_storage") {
    TEST_CASE("operations in flight end in an order that the seed chooses, the same each time") {
        const auto order_of = [](std::uint64_t seed) {
            TestReactor reactor(storage_of(seed));
            auto file = open(reactor, "a");
            const Buffer bytes = filled(4_KiB, 1);
            std::vector<std::uint64_t> ended;
            std::size_t failed = 0;
            Gate gate;
            reactor.run_in_turn([&] {
                for (std::uint64_t i = 0; i < 10; ++i)
                    reactor.spawn(gate, write_and_note(*file, i * 4_KiB, bytes.bytes(),
                                                       Persistence::Durable, ended, failed));
            });
            reactor.run(gate.close());
            CHECK(failed == 0);
            return ended;
        };
        std::set<std::vector<std::uint64_t>> orders;
        for (std::uint64_t seed = 1; seed <= 8; ++seed) {
            orders.insert(order_of(seed));
            CHECK(order_of(seed) == order_of(seed));
        }
        CHECK(orders.size() == 8);
    }

    TEST_CASE("by hand, nothing ends before its step") {
        TestReactor reactor;
        reactor.storage().set_manual(true);
        auto file = open(reactor, "a");
        const Buffer bytes = filled(4_KiB, 1);
        std::vector<std::uint64_t> ended;
        std::size_t failed = 0;
        Gate gate;
        reactor.run_in_turn([&] {
            for (std::uint64_t i = 0; i < 3; ++i)
                reactor.spawn(gate, write_and_note(*file, i * 4_KiB, bytes.bytes(),
                                                   Persistence::Durable, ended, failed));
        });
        CHECK(reactor.disk().in_flight() == 3);
        for (std::size_t steps = 1; steps <= 3; ++steps) {
            CHECK(reactor.storage().step());
            reactor.run_until_idle();
            CHECK(ended.size() == steps);
        }
        CHECK_FALSE(reactor.storage().step());
        reactor.run(gate.close());
    }

    TEST_CASE("a crash keeps durable and synced writes whatever the seed") {
        for (std::uint64_t seed = 1; seed <= 50; ++seed) {
            CAPTURE(seed);
            const auto storage = storage_of(seed);
            {
                TestReactor reactor(storage);
                auto file = open(reactor, "a");
                REQUIRE(write(reactor, *file, 0, filled(8_KiB, 1)).has_value());
                REQUIRE(write(reactor, *file, 8_KiB, filled(8_KiB, 2), Persistence::Cached));
                REQUIRE(reactor.run(file->sync()).has_value());
                REQUIRE(write(reactor, *file, 8_KiB, filled(4_KiB, 3), Persistence::Cached));
                REQUIRE(reactor.run(reactor.disk().sync_directory("")).has_value());
                storage->crash();
                CHECK(reactor.disk().is_lost());
                CHECK_FALSE(write(reactor, *file, 0, filled(4_KiB, 9)).has_value());
                CHECK_FALSE(reactor.disk().open("a", kNew).has_value());
            }
            const auto found = sectors(*storage, "a");
            REQUIRE(found.size() == 32);
            for (std::size_t i = 0; i < 16; ++i)
                CHECK(found[i] == 1);
            for (std::size_t i = 16; i < 24; ++i)
                CHECK((found[i] == 2 || found[i] == 3));
            for (std::size_t i = 24; i < 32; ++i)
                CHECK(found[i] == 2);
        }
    }

    TEST_CASE("a crash loses, tears or keeps what was cached or in flight: all three happen") {
        for (const bool in_flight : {true, false}) {
            std::size_t lost = 0, torn = 0, kept = 0;
            for (std::uint64_t seed = 1; seed <= 100; ++seed) {
                const auto storage = storage_of(seed);
                TestReactor reactor(storage);
                auto file = open(reactor, "a");
                REQUIRE(write(reactor, *file, 0, filled(4_KiB, 1)).has_value());
                REQUIRE(reactor.run(reactor.disk().sync_directory("")).has_value());
                const Buffer bytes = filled(4_KiB, 2);
                std::vector<std::uint64_t> ended;
                std::size_t failed = 0;
                Gate gate;
                storage->set_manual(in_flight);
                reactor.run_in_turn([&] {
                    reactor.spawn(
                        gate, write_and_note(*file, 0, bytes.bytes(),
                                             in_flight ? Persistence::Durable : Persistence::Cached,
                                             ended, failed));
                });
                storage->crash();
                reactor.run(gate.close());
                CHECK(failed == (in_flight ? 1u : 0u));
                const auto found = sectors(*storage, "a");
                REQUIRE(found.size() == 8);
                const auto news = std::ranges::count(found, 2);
                CHECK(news + std::ranges::count(found, 1) == 8);
                ++(news == 0 ? lost : news == 8 ? kept : torn);
            }
            CAPTURE(in_flight);
            CHECK(lost > 10);
            CHECK(torn > 10);
            CHECK(kept > 10);
        }
    }

    TEST_CASE("a chosen crash loses or keeps all") {
        for (const auto style : {PowerLoss::LoseAll, PowerLoss::KeepAll}) {
            const auto storage = storage_of(3);
            TestReactor reactor(storage);
            auto file = open(reactor, "a");
            REQUIRE(reactor.run(reactor.disk().sync_directory("")).has_value());
            REQUIRE(write(reactor, *file, 0, filled(4_KiB, 1), Persistence::Cached).has_value());
            auto unsynced = open(reactor, "b");
            storage->crash(style);
            const bool keeps = style == PowerLoss::KeepAll;
            CHECK(storage->contents("a").value().size() == (keeps ? 4_KiB : 0));
            CHECK(storage->contents("b").has_value() == keeps);
        }
    }

    TEST_CASE("names not synced may vanish, in the order of their making; a rename is whole") {
        std::set<std::size_t> counts;
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            CAPTURE(seed);
            const auto storage = storage_of(seed);
            TestReactor reactor(storage);
            REQUIRE(reactor.disk().make_directory("d").has_value());
            REQUIRE(reactor.run(reactor.disk().sync_directory("")).has_value());
            open(reactor, "d/a");
            open(reactor, "d/b");
            REQUIRE(reactor.disk().rename("d/a", "d/c").has_value());
            storage->crash();
            TestReactor next(storage);
            const auto names = next.disk().list("d").value();
            using Names = std::vector<std::string>;
            CHECK((names.empty() || names == Names{"a"} || names == Names{"a", "b"} ||
                   names == Names{"b", "c"}));
            counts.insert(names.size() + (names == Names{"b", "c"} ? 1 : 0));
        }
        CHECK(counts.size() == 4);
    }

    TEST_CASE("names synced stay, and the folder must be synced too") {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const auto storage = storage_of(seed);
            TestReactor reactor(storage);
            REQUIRE(reactor.disk().make_directory("d").has_value());
            REQUIRE(reactor.run(reactor.disk().sync_directory("")).has_value());
            open(reactor, "d/a");
            open(reactor, "d/old");
            REQUIRE(reactor.run(reactor.disk().sync_directory("d")).has_value());
            REQUIRE(reactor.disk().remove("d/old").has_value());
            REQUIRE(reactor.run(reactor.disk().sync_directory("d")).has_value());
            storage->crash();
            CHECK(TestReactor(storage).disk().list("d").value() == std::vector<std::string>{"a"});
        }
    }

    TEST_CASE("a full disk refuses with NoSpace, writes nothing, and recovers when there is room") {
        TestReactor reactor(std::make_shared<SimStorage>(1, 16_KiB));
        auto file = open(reactor, "a");
        REQUIRE(write(reactor, *file, 0, filled(12_KiB, 0)).has_value());
        CHECK(reactor.disk().free_bytes().value() == 4_KiB);
        const Status full = write(reactor, *file, 12_KiB, filled(8_KiB, 2));
        REQUIRE_FALSE(full.has_value());
        CHECK(full.error().code == Errc::NoSpace);
        CHECK(file->size() == 12_KiB);
        CHECK(write(reactor, *file, 0, filled(12_KiB, 3)).has_value());  // overwriting needs none
        REQUIRE(reactor.run(file->punch(0, 8_KiB)).has_value());
        CHECK(write(reactor, *file, 12_KiB, filled(8_KiB, 2)).has_value());
        REQUIRE(reactor.disk().remove("a").has_value());
        CHECK(reactor.disk().free_bytes().value() == 16_KiB);
    }

    TEST_CASE("what was punched before it was synced takes no room afterwards") {
        for (const bool is_synced : {true, false}) {
            CAPTURE(is_synced);
            auto storage = std::make_shared<SimStorage>(1);
            {
                TestReactor reactor(storage);
                auto file = open(reactor, "a");
                REQUIRE(reactor.run(reactor.disk().sync_directory("")).has_value());
                REQUIRE(reactor.run(file->grow(64_KiB)).has_value());
                REQUIRE(reactor.run(file->punch(8_KiB, 56_KiB)).has_value());
                if (is_synced) REQUIRE(reactor.run(file->sync()).has_value());
                storage->crash(PowerLoss::KeepAll);
            }
            CHECK_EQ(storage->contents("a")->size(), 64_KiB);
            CHECK_EQ(storage->used_bytes(), 8_KiB);
        }
    }

    TEST_CASE("a planned fault hits the call it was planned for, once") {
        TestReactor reactor;
        auto file = open(reactor, "a");
        reactor.storage().fail_next(SimCall::Write, EIO, 1);
        CHECK(write(reactor, *file, 0, filled(4_KiB, 1)).has_value());
        const Status failed = write(reactor, *file, 4_KiB, filled(4_KiB, 2));
        REQUIRE_FALSE(failed.has_value());
        CHECK(failed.error().code == Errc::IoFailed);
        CHECK(failed.error().sys_errno == EIO);
        CHECK(write(reactor, *file, 4_KiB, filled(4_KiB, 3)).has_value());
        reactor.storage().fail_next(SimCall::Directory, EIO);
        CHECK_FALSE(reactor.run(reactor.disk().sync_directory("")).has_value());
        CHECK(reactor.run(reactor.disk().sync_directory("")).has_value());
    }

    TEST_CASE("after a failed sync the bytes are seen, and no later sync saves them") {
        const auto storage = storage_of(5);
        TestReactor reactor(storage);
        auto file = open(reactor, "a");
        REQUIRE(reactor.run(reactor.disk().sync_directory("")).has_value());
        REQUIRE(write(reactor, *file, 0, filled(4_KiB, 1)).has_value());
        REQUIRE(write(reactor, *file, 0, filled(4_KiB, 2), Persistence::Cached).has_value());
        storage->fail_next(SimCall::Sync, EIO);
        CHECK_FALSE(reactor.run(file->sync()).has_value());
        CHECK(reactor.run(file->sync()).has_value());
        CHECK(sectors(*storage, "a") == std::vector<int>(8, 2));
        storage->crash(PowerLoss::KeepAll);
        CHECK(sectors(*storage, "a") == std::vector<int>(8, 1));
    }

    TEST_CASE("a flipped bit is read back flipped, also after a crash") {
        const auto storage = storage_of(1);
        TestReactor reactor(storage);
        auto file = open(reactor, "a");
        REQUIRE(reactor.run(reactor.disk().sync_directory("")).has_value());
        REQUIRE(write(reactor, *file, 0, filled(4_KiB, 0)).has_value());
        storage->flip_bit("a", 1000, 3);
        CHECK(storage->contents("a").value()[1000] == std::byte{8});
        storage->crash();
        CHECK(storage->contents("a").value()[1000] == std::byte{8});
    }

    TEST_CASE("power goes by itself after as many calls as asked, at every point of a protocol") {
        // Write a new file beside, sync, rename over, sync the folder: always the old or the new
        // content.
        std::set<int> outcomes;
        for (std::uint64_t calls = 0; calls < 9; ++calls) {
            for (std::uint64_t seed = 1; seed <= 10; ++seed) {
                CAPTURE(calls);
                CAPTURE(seed);
                const auto storage = storage_of(seed);
                TestReactor first(storage);
                {
                    auto file = open(first, "a");
                    REQUIRE(write(first, *file, 0, filled(4_KiB, 1)).has_value());
                    REQUIRE(first.run(first.disk().sync_directory("")).has_value());
                }
                storage->crash_after(calls);
                auto fresh = first.disk().open("a.new", kNew);
                if (fresh) {
                    if (write(first, **fresh, 0, filled(4_KiB, 2), Persistence::Cached) &&
                        first.run((*fresh)->sync()) && first.disk().rename("a.new", "a")) {
                        (void)first.run(first.disk().sync_directory(""));
                    }
                }
                if (storage->crashes() == 0) storage->crash();
                const auto found = sectors(*storage, "a");
                CHECK((found == std::vector<int>(8, 1) || found == std::vector<int>(8, 2)));
                outcomes.insert(found[0]);
                if (calls >= 5) CHECK(found[0] == 2);
            }
        }
        CHECK(outcomes == std::set<int>{1, 2});
    }

    TEST_CASE("slow operations are overtaken, and end all the same") {
        TestReactor reactor(storage_of(2));
        reactor.storage().faults.slow = 0.3;
        auto file = open(reactor, "a");
        const Buffer bytes = filled(4_KiB, 1);
        std::vector<std::uint64_t> ended;
        std::size_t failed = 0;
        Gate gate;
        reactor.run_in_turn([&] {
            for (std::uint64_t i = 0; i < 100; ++i)
                reactor.spawn(gate, write_and_note(*file, i * 4_KiB, bytes.bytes(),
                                                   Persistence::Durable, ended, failed));
        });
        reactor.run(gate.close());
        CHECK(ended.size() == 100);
        CHECK_FALSE(std::ranges::is_sorted(ended));
    }

    TEST_CASE("a killed process leaves what it wrote as cached as it was; power takes it later") {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const auto storage = storage_of(seed);
            {
                TestReactor reactor(storage);
                auto file = open(reactor, "a");
                REQUIRE(reactor.run(reactor.disk().sync_directory("")).has_value());
                REQUIRE(write(reactor, *file, 0, filled(4_KiB, 1)).has_value());
                REQUIRE(write(reactor, *file, 0, filled(4_KiB, 2), Persistence::Cached));
                storage->crash(PowerLoss::ProcessOnly);
                CHECK(reactor.disk().is_lost());
            }
            CHECK(sectors(*storage, "a") == std::vector<int>(8, 2));
            storage->crash(PowerLoss::LoseAll);
            CHECK(sectors(*storage, "a") == std::vector<int>(8, 1));
        }
    }

    TEST_CASE("power goes with the call of a kind that was chosen") {
        const auto storage = storage_of(3);
        TestReactor reactor(storage);
        auto file = open(reactor, "a");
        storage->crash_at(SimCall::Sync, 1);
        CHECK(write(reactor, *file, 0, filled(4_KiB, 1), Persistence::Cached).has_value());
        CHECK(reactor.run(file->sync()).has_value());
        CHECK(write(reactor, *file, 0, filled(4_KiB, 2), Persistence::Cached).has_value());
        CHECK_FALSE(reactor.run(file->sync()).has_value());
        CHECK(reactor.disk().is_lost());
    }

    TEST_CASE("a write that meets a full disk may have landed in part, and never beyond the room") {
        bool has_landed = false;
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const auto storage = storage_of(seed);
            TestReactor reactor(storage);
            auto file = open(reactor, "a");
            storage->set_capacity(8_KiB);
            storage->faults.short_write = 1;
            const auto status = write(reactor, *file, 0, filled(16_KiB, 7));
            REQUIRE_FALSE(status.has_value());
            CHECK(status.error().code == Errc::NoSpace);
            CHECK(storage->used_bytes() <= 8_KiB);
            has_landed = has_landed || storage->used_bytes() > 0;
        }
        CHECK(has_landed);
    }

    TEST_CASE("a read beside a write in flight may see some of its sectors") {
        std::set<int> seen;
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const auto storage = storage_of(seed);
            TestReactor reactor(storage);
            auto file = open(reactor, "a");
            REQUIRE(write(reactor, *file, 0, filled(4_KiB, 1)).has_value());
            storage->set_manual(true);
            storage->faults.early = 1;
            const Buffer bytes = filled(4_KiB, 2), into = filled(4_KiB, 0);
            std::vector<std::uint64_t> ended;
            std::size_t failed = 0;
            Gate gate;
            reactor.run_in_turn([&] {
                reactor.spawn(gate, write_and_note(*file, 0, bytes.bytes(), Persistence::Durable,
                                                   ended, failed));
                reactor.spawn(gate, [](File& from, MutableBytes to) -> Task<void> {
                    (void)co_await from.read(0, to);
                }(*file, into.bytes()));
            });
            while (storage->step())
                reactor.run_until_idle();
            for (const std::byte b : into.bytes())
                seen.insert(static_cast<int>(b));
            storage->set_manual(false);
            reactor.run(gate.close());
        }
        CHECK(seen == std::set<int>{1, 2});
    }
}

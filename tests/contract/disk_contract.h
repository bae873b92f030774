#pragma once

// The conformance suite of the Disk seam. A file that includes this runs it over all
// implementations.

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/io/buffer.h"
#include "engine/reactor/call_on.h"
#include "engine/reactor/test_reactor.h"
#include "tests/contract/temporary_directory.h"

namespace tidemill::test {

using DiskTest = Task<void> (*)(Disk&);

inline void run_on_real_disk(DiskKind kind, const char* name, DiskTest test) {
    const TemporaryDirectory directory;
    ReactorConfig config;
    config.data_directory = directory.path();
    config.disk = kind;
    auto group = ReactorGroup::start(1, config);
    if (!group && group.error().code == Errc::Unsupported) {
        MESSAGE("skipped: " << name << " is not available here: " << group.error().to_string());
        return;
    }
    REQUIRE(group.has_value());
    Reactor& reactor = (*group)->at(CoreId{0});
    run_on(reactor, [&reactor, test] { return test(reactor.disk()); });
}

inline void on_every_disk(DiskTest test) {
    SUBCASE("io_uring") { run_on_real_disk(DiskKind::Uring, "io_uring", test); }
    SUBCASE("threads") { run_on_real_disk(DiskKind::Threads, "threads", test); }
    SUBCASE("simulated") {
        TestReactor reactor;
        reactor.run(test(reactor.disk()));
    }
    SUBCASE("simulated, without direct I/O") {
        TestReactor reactor;
        reactor.storage().set_direct(false);
        reactor.run(test(reactor.disk()));
    }
}

inline Buffer pattern(std::size_t bytes, unsigned seed) {
    Buffer buffer = Buffer::allocate(bytes);
    Random random(seed);
    for (auto& byte : buffer.bytes())
        byte = static_cast<std::byte>(random.next());
    return buffer;
}

inline bool is_same(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

constexpr OpenMode kNewFile{.create = true, .exclusive = true};

TEST_SUITE("contract/disk") {
    TEST_CASE("what is written is read back, by this handle and by a new one") {
        on_every_disk([](Disk& disk) -> Task<void> {
            const Buffer written = pattern(64_KiB, 1);
            {
                auto file = disk.open("a", kNewFile);
                REQUIRE(file.has_value());
                auto status = co_await (*file)->write(8_KiB, written.bytes(), Persistence::Durable);
                REQUIRE(status.has_value());
                CHECK((*file)->size() == 72_KiB);
            }
            OpenMode mode;
            mode.writable = false;
            auto file = disk.open("a", mode);
            REQUIRE(file.has_value());
            CHECK((*file)->size() == 72_KiB);
            const Buffer into = Buffer::allocate(64_KiB);
            auto count = co_await (*file)->read(8_KiB, into.bytes());
            REQUIRE(count.has_value());
            CHECK(*count == 64_KiB);
            CHECK(is_same(into.bytes(), written.bytes()));
            count = co_await (*file)->read(0, into.bytes().first(8_KiB));
            REQUIRE(count.has_value());
            CHECK(std::ranges::all_of(into.bytes().first(8_KiB),
                                      [](std::byte b) { return b == std::byte{0}; }));
        });
    }

    TEST_CASE("a read at the end of the file is short, and beyond it empty") {
        on_every_disk([](Disk& disk) -> Task<void> {
            auto file = disk.open("a", kNewFile);
            REQUIRE(file.has_value());
            const Buffer bytes = pattern(8_KiB, 2);
            auto status = co_await (*file)->write(0, bytes.bytes(), Persistence::Cached);
            REQUIRE(status.has_value());
            const Buffer into = Buffer::allocate(64_KiB);
            auto count = co_await (*file)->read(4_KiB, into.bytes());
            REQUIRE(count.has_value());
            CHECK(*count == 4_KiB);
            count = co_await (*file)->read(8_KiB, into.bytes());
            REQUIRE(count.has_value());
            CHECK(*count == 0);
        });
    }

    TEST_CASE("a buffered file takes any offset and length") {
        on_every_disk([](Disk& disk) -> Task<void> {
            OpenMode mode = kNewFile;
            mode.direct = false;
            auto file = disk.open("a", mode);
            REQUIRE(file.has_value());
            CHECK_FALSE((*file)->is_direct());
            const Buffer bytes = pattern(1001, 3);
            auto status = co_await (*file)->write(7, bytes.bytes(), Persistence::Durable);
            REQUIRE(status.has_value());
            CHECK((*file)->size() == 1008);
            const Buffer into = Buffer::allocate(5000);
            const auto count = co_await (*file)->read(7, into.bytes());
            REQUIRE(count.has_value());
            CHECK(*count == 1001);
            CHECK(is_same(into.bytes().first(1001), bytes.bytes()));
        });
    }

    TEST_CASE("more operations than any queue holds may be in flight") {
        on_every_disk([](Disk& disk) -> Task<void> {
            constexpr std::size_t kWrites = 1500;
            auto file = disk.open("a", kNewFile);
            REQUIRE(file.has_value());
            Gate gate;
            std::size_t good = 0;
            const Buffer bytes = pattern(4_KiB, 4);
            for (std::size_t i = 0; i < kWrites; ++i) {
                Reactor::current().spawn(gate,
                                         [](File& to, std::size_t number, Bytes block,
                                            std::size_t& count) -> Task<void> {
                                             auto status = co_await to.write(number * 4_KiB, block,
                                                                             Persistence::Cached);
                                             if (status) ++count;
                                         }(**file, i, bytes.bytes(), good));
            }
            co_await gate.close();
            CHECK(good == kWrites);
            CHECK((*file)->size() == kWrites * 4_KiB);
            auto synced = co_await (*file)->sync();
            CHECK(synced.has_value());
        });
    }

    TEST_CASE("a file grows by zeros that can be overwritten, and keeps what it held") {
        on_every_disk([](Disk& disk) -> Task<void> {
            auto file = disk.open("a", kNewFile);
            REQUIRE(file.has_value());
            const Buffer bytes = pattern(8_KiB, 5);
            auto status = co_await (*file)->write(0, bytes.bytes(), Persistence::Durable);
            REQUIRE(status.has_value());
            status = co_await (*file)->grow(1_MiB);
            REQUIRE(status.has_value());
            CHECK((*file)->size() == 1_MiB);
            status = co_await (*file)->grow(4_KiB);  // smaller: nothing happens
            REQUIRE(status.has_value());
            CHECK((*file)->size() == 1_MiB);
            status = co_await (*file)->write(64_KiB, bytes.bytes(), Persistence::Durable);
            REQUIRE(status.has_value());
            status = co_await (*file)->sync();
            REQUIRE(status.has_value());
            file->reset();
            file = disk.open("a", {});
            REQUIRE(file.has_value());
            CHECK((*file)->size() == 1_MiB);
            const Buffer into = Buffer::allocate(72_KiB);
            const auto count = co_await (*file)->read(0, into.bytes());
            REQUIRE(count.has_value());
            CHECK(is_same(into.bytes().first(8_KiB), bytes.bytes()));
            CHECK(std::ranges::all_of(into.bytes().subspan(8_KiB, 56_KiB),
                                      [](std::byte b) { return b == std::byte{0}; }));
            CHECK(is_same(into.bytes().last(8_KiB), bytes.bytes()));
        });
    }

    TEST_CASE("a punched range reads as zeros and leaves the size") {
        on_every_disk([](Disk& disk) -> Task<void> {
            auto file = disk.open("a", kNewFile);
            REQUIRE(file.has_value());
            const Buffer bytes = pattern(32_KiB, 5);
            auto status = co_await (*file)->write(0, bytes.bytes(), Persistence::Durable);
            REQUIRE(status.has_value());
            status = co_await (*file)->punch(8_KiB, 16_KiB);
            REQUIRE(status.has_value());
            const Buffer into = Buffer::allocate(32_KiB);
            const auto count = co_await (*file)->read(0, into.bytes());
            REQUIRE(count.has_value());
            CHECK(*count == 32_KiB);
            CHECK(is_same(into.bytes().first(8_KiB), bytes.bytes().first(8_KiB)));
            CHECK(is_same(into.bytes().last(8_KiB), bytes.bytes().last(8_KiB)));
            CHECK(std::ranges::all_of(into.bytes().subspan(8_KiB, 16_KiB),
                                      [](std::byte b) { return b == std::byte{0}; }));
        });
    }

    TEST_CASE("opening says what is missing and what is there") {
        on_every_disk([](Disk& disk) -> Task<void> {
            auto missing = disk.open("a", {});
            REQUIRE_FALSE(missing.has_value());
            CHECK(missing.error().code == Errc::NotFound);
            auto no_folder = disk.open("folder/a", kNewFile);
            REQUIRE_FALSE(no_folder.has_value());
            CHECK(no_folder.error().code == Errc::NotFound);
            CHECK(disk.open("a", kNewFile).has_value());
            auto again = disk.open("a", kNewFile);
            REQUIRE_FALSE(again.has_value());
            CHECK(again.error().code == Errc::AlreadyExists);
            OpenMode mode;
            mode.create = true;
            CHECK(disk.open("a", mode).has_value());
            co_return;
        });
    }

    TEST_CASE("folders list their files in order; rename replaces; remove removes") {
        on_every_disk([](Disk& disk) -> Task<void> {
            REQUIRE(disk.make_directory("x/y").has_value());
            CHECK(disk.make_directory("x/y").has_value());
            for (const char* name : {"x/y/c", "x/y/a", "x/y/b", "x/d"})
                REQUIRE(disk.open(name, kNewFile).has_value());
            using Names = std::vector<std::string>;
            CHECK(disk.list("x/y").value() == Names{"a", "b", "c"});
            CHECK(disk.list("x").value() == Names{"d"});
            {
                OpenMode mode;
                mode.direct = false;
                auto file = disk.open("x/y/a", mode);
                REQUIRE(file.has_value());
                const auto text = as_bytes("renamed");
                auto status = co_await (*file)->write(0, text, Persistence::Durable);
                REQUIRE(status.has_value());
            }
            CHECK(disk.rename("x/y/a", "x/y/c").has_value());
            CHECK(disk.list("x/y").value() == Names{"b", "c"});
            CHECK(disk.open("x/y/c", {}).value()->size() == 7);
            CHECK(disk.remove("x/y/b").has_value());
            CHECK(disk.remove("x/y/b").error().code == Errc::NotFound);
            CHECK(disk.rename("x/y/b", "x/y/c").error().code == Errc::NotFound);
            CHECK(disk.list("x/y").value() == Names{"c"});
            CHECK((co_await disk.sync_directory("x/y")).has_value());
            CHECK((co_await disk.sync_directory("")).has_value());
            CHECK(disk.list("nowhere").error().code == Errc::NotFound);
            CHECK(disk.free_bytes().value() > 0);
            CHECK_FALSE(disk.description().empty());
        });
    }
}

}  // namespace tidemill::test

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "engine/reactor/call_on.h"
#include "engine/reactor/gate.h"
#include "tests/contract/temporary_directory.h"

using namespace tidemill;

namespace {

struct Cores {
    explicit Cores(std::uint32_t count, std::chrono::milliseconds stall_limit = 1h) {
        ReactorConfig config;
        config.data_directory = directory.path();
        config.stall_limit = stall_limit;
        auto started = ReactorGroup::start(count, config);
        REQUIRE(started.has_value());
        group = std::move(*started);
    }
    Reactor& at(std::uint32_t core) { return group->at(CoreId{core}); }

    test::TemporaryDirectory directory;
    std::unique_ptr<ReactorGroup> group;
};

Task<std::unique_ptr<std::string>> name_of_core(std::unique_ptr<std::string> prefix) {
    *prefix += std::to_string(Reactor::current().id().value);
    co_return std::move(prefix);
}

/// Sends `count` calls one after the other to the other core; each adds its own core's number plus
/// one.
Task<std::uint64_t> ping(Reactor& other, std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        sum += co_await call_on(
            other, []() -> Task<std::uint64_t> { co_return Reactor::current().id().value + 1; });
    }
    co_return sum;
}

}  // namespace

TEST_SUITE("engine/reactor/cores") {
    TEST_CASE("a call on another core moves values there and back") {
        Cores cores(2);
        Reactor& second = cores.at(1);
        auto name = run_on(cores.at(0), [&second] {
            return [](Reactor& target) -> Task<std::unique_ptr<std::string>> {
                auto prefix = std::make_unique<std::string>("core ");
                auto made = co_await call_on(target, [p = std::move(prefix)]() mutable {
                    return name_of_core(std::move(p));
                });
                *made += ", asked by " + std::to_string(Reactor::current().id().value);
                co_return made;
            }(second);
        });
        CHECK(*name == "core 1, asked by 0");
    }

    TEST_CASE("two cores call each other at the same time") {
        Cores cores(2);
        constexpr std::uint64_t kCalls = 2000;
        std::uint64_t from_first = 0, from_second = 0;
        std::thread other(
            [&] { from_second = run_on(cores.at(1), [&] { return ping(cores.at(0), kCalls); }); });
        from_first = run_on(cores.at(0), [&] { return ping(cores.at(1), kCalls); });
        other.join();
        CHECK(from_first == 2 * kCalls);
        CHECK(from_second == kCalls);
    }

    TEST_CASE("an exception on the other core comes back to the caller") {
        Cores cores(2);
        Reactor& second = cores.at(1);
        CHECK_THROWS_AS(run_on(cores.at(0),
                               [&second] {
                                   return call_on(second, []() -> Task<void> {
                                       throw std::runtime_error("there");
                                       co_return;
                                   });
                               }),
                        std::runtime_error);
    }

    TEST_CASE("posted work runs in order on the reactor's thread") {
        Cores cores(1);
        std::vector<int> order;
        for (int i = 0; i < 100; ++i)
            cores.at(0).post([&order, i, &cores] {
                if (Reactor::current_or_null() == &cores.at(0)) order.push_back(i);
            });
        cores.group->stop();
        REQUIRE(order.size() == 100);
        for (int i = 0; i < 100; ++i)
            CHECK(order[static_cast<std::size_t>(i)] == i);
    }

    TEST_CASE("a turn above the stall limit is counted") {
        // With a limit of zero every turn that does anything is a stall; with an hour none is.
        for (const bool expect : {true, false}) {
            Cores cores(
                1, expect ? std::chrono::milliseconds{0} : std::chrono::milliseconds{3600'000});
            cores.at(0).post([] {});
            cores.group->stop();
            CHECK((cores.at(0).stats().stalls > 0) == expect);
            CHECK(cores.at(0).stats().turns > 0);
            CHECK(cores.at(0).stats().longest_turn.count() > 0);
        }
    }

    TEST_CASE("stopping waits for work in flight and wakes sleepers") {
        Cores cores(1);
        bool has_woken = false;
        Reactor& reactor = cores.at(0);
        run_on(reactor, [&] {
            return [](Reactor& here, bool& woken) -> Task<void> {
                boost::asio::co_spawn(
                    here.context().get_executor(),
                    [](Reactor& on, bool& flag) -> Task<void> {
                        co_await on.sleep_until(on.clock().mono_now() + std::chrono::hours{1});
                        flag = true;
                    }(here, woken),
                    boost::asio::detached);
                co_return;
            }(reactor, has_woken);
        });
        cores.group->stop();
        CHECK(has_woken);
    }

    TEST_CASE("a short sleep ends on a real reactor, after its time") {
        Cores cores(1);
        Reactor& reactor = cores.at(0);
        const auto late = run_on(reactor, [&reactor] {
            return [](Reactor& here) -> Task<std::chrono::nanoseconds> {
                const MonoTime when = here.clock().mono_now() + std::chrono::milliseconds{2};
                co_await here.sleep_until(when);
                co_return here.clock().mono_now() - when;
            }(reactor);
        });
        CHECK(late.count() >= 0);
    }

    TEST_CASE("a data directory that is missing is an error, not a crash") {
        ReactorConfig config;
        config.data_directory = "/nowhere/at/all";
        const auto group = ReactorGroup::start(2, config);
        REQUIRE_FALSE(group.has_value());
        CHECK(group.error().code == Errc::NotFound);
    }
}

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/reactor/gate.h"
#include "engine/reactor/signal.h"
#include "engine/reactor/stall_watch.h"
#include "engine/reactor/test_reactor.h"

using namespace tidemill;

namespace {

class Recorder final : public TurnHook {
 public:
    Recorder(std::vector<std::string>& log, std::string name, int again = 0)
        : log_(log), name_(std::move(name)), again_(again) {}
    void at_turn_end() override {
        log_.push_back(name_);
        if (again_-- > 0) Reactor::current().request_turn_end(*this);
    }

 private:
    std::vector<std::string>& log_;
    std::string name_;
    int again_;
};

Task<void> sleep_and_say(MonoTime when, std::string what, std::vector<std::string>& log) {
    co_await Reactor::current().sleep_until(when);
    log.push_back(std::move(what));
}

Task<void> tick(Gate& gate, std::chrono::seconds every, int& ticks) {
    while (co_await gate.sleep_until(Reactor::current().clock().mono_now() + every))
        ++ticks;
}

Task<void> wait_for(Signal& signal, MonoTime deadline, std::string name,
                    std::vector<std::string>& log) {
    const bool notified = co_await signal.wait_until(deadline);
    log.push_back(name + (notified ? " notified" : " late"));
}

}  // namespace

TEST_SUITE("engine/reactor/turn") {
    TEST_CASE("hooks run once at the end of the turn, in the order of asking") {
        TestReactor reactor;
        std::vector<std::string> log;
        Recorder a(log, "a"), b(log, "b");
        reactor.run_in_turn([&] {
            reactor.post([&] {
                reactor.request_turn_end(b);
                reactor.request_turn_end(a);
                reactor.request_turn_end(b);
                log.push_back("handler");
            });
            reactor.post([&] { log.push_back("second handler"); });
        });
        CHECK(log == std::vector<std::string>{"handler", "second handler", "b", "a"});
    }

    TEST_CASE("a hook may ask again: it then runs in the next turn, after the others") {
        TestReactor reactor;
        std::vector<std::string> log;
        Recorder a(log, "a", 1), b(log, "b");
        reactor.run_in_turn([&] {
            reactor.request_turn_end(a);
            reactor.request_turn_end(b);
        });
        CHECK(log == std::vector<std::string>{"a", "b", "a"});
    }

    TEST_CASE("sleepers wake in the order of their times, and only when time has come") {
        TestReactor reactor;
        std::vector<std::string> log;
        Gate gate;
        const MonoTime start = reactor.clock().mono_now();
        reactor.run_in_turn([&] {
            reactor.spawn(gate, sleep_and_say(start + 3s, "third", log));
            reactor.spawn(gate, sleep_and_say(start + 1s, "first", log));
            reactor.spawn(gate, sleep_and_say(start + 2s, "second", log));
            reactor.spawn(gate, sleep_and_say(start + 2s, "second too", log));
        });
        CHECK(log.empty());
        reactor.advance(999ms);
        CHECK(log.empty());
        reactor.advance(1001ms);
        CHECK(log == std::vector<std::string>{"first", "second", "second too"});
        reactor.run(gate.close());
        CHECK(log.back() == "third");
        CHECK(reactor.clock().mono_now() == start + 3s);
    }

    TEST_CASE("closing a gate wakes its sleepers and waits for its tasks") {
        TestReactor reactor;
        Gate gate;
        int ticks = 0;
        const MonoTime start = reactor.clock().mono_now();
        reactor.run_in_turn([&] { reactor.spawn(gate, tick(gate, 10s, ticks)); });
        reactor.advance(35s);
        CHECK(ticks == 3);
        CHECK(gate.inside() == 1);
        reactor.run(gate.close());
        CHECK(gate.inside() == 0);
        CHECK(gate.is_closed());
        CHECK(ticks == 3);
        CHECK(reactor.clock().mono_now() == start + 35s);
    }

    TEST_CASE("an empty gate closes at once") {
        TestReactor reactor;
        Gate gate;
        reactor.run(gate.close());
        CHECK(gate.is_closed());
    }

    TEST_CASE("a signal wakes all who wait, in order; deadlines wake the rest") {
        TestReactor reactor;
        std::vector<std::string> log;
        Gate gate;
        Signal signal;
        const MonoTime start = reactor.clock().mono_now();
        reactor.run_in_turn([&] {
            reactor.spawn(gate, wait_for(signal, start + 1s, "a", log));
            reactor.spawn(gate, wait_for(signal, start + 9s, "b", log));
            reactor.spawn(gate, wait_for(signal, MonoTime::max(), "c", log));
        });
        reactor.advance(2s);
        CHECK(log == std::vector<std::string>{"a late"});
        reactor.run_in_turn([&] {
            signal.notify_all();
            CHECK(log.size() == 1);  // not from within the notifier
        });
        CHECK(log == std::vector<std::string>{"a late", "b notified", "c notified"});
        CHECK_FALSE(signal.has_waiters());
        reactor.run(gate.close());
    }

    TEST_CASE("a task's value and exception come out of run") {
        TestReactor reactor;
        CHECK(reactor.run([]() -> Task<int> { co_return 7; }()) == 7);
        CHECK_THROWS_AS(reactor.run([]() -> Task<void> {
            throw std::runtime_error("x");
            co_return;
        }()),
                        std::runtime_error);
        CHECK(Reactor::current_or_null() == nullptr);
    }

    TEST_CASE("the stall watch counts turns above its limit only") {
        StallWatch watch(CoreId{0}, 50ms);
        const MonoTime start{1h};
        watch.turn_ended(start, 50ms);
        CHECK(watch.stalls() == 0);
        watch.turn_ended(start + 1s, 51ms);
        watch.turn_ended(start + 1s, 80ms);
        CHECK(watch.stalls() == 2);
        CHECK(watch.longest() == 80ms);
    }
}

#include "engine/log/log_clock.h"

#include <doctest/doctest.h>

#include "tests/unit/engine/log/log_fixture.h"

using namespace tidemill;
using namespace tidemill::test;

namespace {

/// A system clock with a LogClock that watches it.
struct Watched {
    std::int64_t now() { return clock.now_ms(from_millis(wall_ms), MonoTime{mono}); }
    void pass(std::chrono::milliseconds by) {
        wall_ms += by.count();
        mono += by;
    }
    void leap(std::chrono::milliseconds by) { wall_ms += by.count(); }
    std::int64_t lag(std::chrono::milliseconds retention) {
        return clock.lag_ms(MonoTime{mono}, retention.count());
    }

    LogClock clock;
    std::int64_t wall_ms = 1'700'000'000'000;
    std::chrono::milliseconds mono{5'000'000};
};

}  // namespace

TEST_SUITE("log/clock") {
    TEST_CASE("small leaps and leaps back are followed at once") {
        Watched w;
        CHECK_EQ(w.now(), w.wall_ms);
        w.leap(4s);
        CHECK_EQ(w.now(), w.wall_ms);
        w.leap(-3h);
        CHECK_EQ(w.now(), w.wall_ms);
        CHECK_EQ(w.clock.leaps(), 0);
    }

    TEST_CASE("a leap forward that is taken back within a minute is never seen") {
        Watched w;
        const auto before = w.now();
        w.leap(87600h);
        CHECK_EQ(w.now(), before);
        w.pass(30s);
        CHECK_EQ(w.now(), before + 30'000);
        w.leap(-87600h);
        w.pass(60s);
        CHECK_EQ(w.now(), before + 90'000);
        CHECK_EQ(w.clock.leaps(), 0);
    }

    TEST_CASE("a leap that lasts is followed, and what was there is kept longer by as much") {
        Watched w;
        const auto stamped = w.now();
        w.leap(5h);
        (void)w.now();
        w.pass(61s);
        CHECK_EQ(w.now(), w.wall_ms);
        CHECK_EQ(w.clock.leaps(), 1);
        const auto has_expired = [&](std::int64_t arrival, std::chrono::milliseconds retention) {
            return arrival + retention.count() + w.lag(retention) < w.now();
        };
        CHECK_FALSE(has_expired(stamped, 1h));
        w.pass(57min);
        CHECK_FALSE(has_expired(stamped, 1h));
        const auto later = w.now();
        w.pass(4min);
        CHECK(has_expired(stamped, 1h));
        CHECK_FALSE(has_expired(later, 1h));
        w.pass(57min);
        CHECK(has_expired(later, 1h));
    }

    TEST_CASE("records are neither lost nor stamped in the future by a clock that leaps") {
        auto storage = std::make_shared<SimStorage>(5);
        LogProcess process(storage, small_log(), {1});
        process.reactor.run(process.store->configure_shard(ShardUid{1}, {.retention = 1h}));
        REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
        const auto before = process.reactor.clock().wall_now();
        process.reactor.clock().jump_wall(87600h);
        CHECK_LE(process.append(1, 5).arrival, before + 1s);
        process.reactor.clock().jump_wall(-87600h);
        process.reactor.clock().jump_wall(5h);
        process.reactor.advance(2min);
        REQUIRE_EQ(process.append(1, 5).outcome, Outcome::Committed);
        CHECK_EQ(process.tail(1)->trim, 0);
        CHECK_EQ(process.verify(1).value_or(0), 15);
        process.reactor.advance(59min);
        CHECK_EQ(process.tail(1)->trim, 10);
    }
}

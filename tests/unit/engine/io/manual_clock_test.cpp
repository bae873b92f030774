#include "engine/io/manual_clock.h"

#include <doctest/doctest.h>

#include "engine/io/system_clock.h"

using namespace tidemill;

TEST_CASE("engine/io/manual_clock: advance moves both times, a jump only the wall's") {
    ManualClock clock;
    const MonoTime mono = clock.mono_now();
    const WallTime wall = clock.wall_now();
    clock.advance(1500us);
    clock.advance(500us);
    CHECK(clock.mono_now() - mono == 2ms);
    CHECK(clock.wall_now() - wall == 2ms);
    clock.jump_wall(-1h);
    CHECK(clock.mono_now() - mono == 2ms);
    CHECK(clock.wall_now() - wall == 2ms - 1h);
}

TEST_CASE("engine/io/system_clock: monotonic time does not go back") {
    SystemClock clock;
    const MonoTime before = clock.mono_now();
    CHECK(clock.mono_now() >= before);
    CHECK(to_millis(clock.wall_now()) > 1'700'000'000'000);
}

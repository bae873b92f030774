#pragma once

#include <chrono>
#include <cstdint>

namespace tidemill {

using namespace std::chrono_literals;

/// Wall-clock time in whole milliseconds since 1970 UTC: arrival times, ROWTIME, retention. May
/// jump.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// Monotonic time: deadlines, latencies.
using MonoTime = std::chrono::steady_clock::time_point;

constexpr std::int64_t to_millis(WallTime t) { return t.time_since_epoch().count(); }
constexpr WallTime from_millis(std::int64_t ms) { return WallTime{std::chrono::milliseconds{ms}}; }

}  // namespace tidemill

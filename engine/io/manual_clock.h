#pragma once

#include "engine/base/check.h"
#include "engine/io/clock.h"

namespace tidemill {

/// A clock moved by hand: tests and simulation. Starts in January 2024.
class ManualClock final : public Clock {
 public:
    WallTime wall_now() override { return wall_; }
    MonoTime mono_now() override { return mono_; }

    /// Both times go on.
    void advance(std::chrono::nanoseconds by) {
        TM_CHECK(by.count() >= 0, "monotonic time goes forward");
        mono_ += std::chrono::duration_cast<MonoTime::duration>(by);
        exact_wall_ += by;
        wall_ = std::chrono::floor<std::chrono::milliseconds>(exact_wall_);
    }
    /// Only wall-clock time jumps, either way: NTP, an administrator.
    void jump_wall(std::chrono::milliseconds by) { set_wall(wall_ + by); }
    void set_wall(WallTime to) {
        wall_ = to;
        exact_wall_ = to;
    }

 private:
    WallTime wall_ = from_millis(1'704'067'200'000);
    std::chrono::sys_time<std::chrono::nanoseconds> exact_wall_ = wall_;
    MonoTime mono_{std::chrono::hours{1}};
};

}  // namespace tidemill

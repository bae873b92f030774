#pragma once

#include <chrono>
#include <cstdint>

#include "engine/base/ids.h"
#include "engine/base/time.h"

namespace tidemill {

/// Counts the turns that took longer than a limit and says so in the log, at most once a second.
class StallWatch {
 public:
    StallWatch(CoreId core, std::chrono::nanoseconds limit) : core_(core), limit_(limit) {}

    void turn_ended(MonoTime now, std::chrono::nanoseconds took);
    std::uint64_t stalls() const { return stalls_; }
    std::chrono::nanoseconds longest() const { return longest_; }

 private:
    CoreId core_;
    std::chrono::nanoseconds limit_;
    std::uint64_t stalls_ = 0, unreported_ = 0;
    std::chrono::nanoseconds longest_{}, longest_unreported_{};
    MonoTime reported_at_{};
};

}  // namespace tidemill

#include "engine/reactor/stall_watch.h"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace tidemill {

void StallWatch::turn_ended(MonoTime now, std::chrono::nanoseconds took) {
    longest_ = std::max(longest_, took);
    if (took <= limit_) return;
    ++stalls_;
    ++unreported_;
    longest_unreported_ = std::max(longest_unreported_, took);
    if (reported_at_ != MonoTime{} && now - reported_at_ < 1s) return;
    spdlog::warn("event=stall core={} turns={} longest_ms={} limit_ms={}", core_.value, unreported_,
                 longest_unreported_ / 1ms, limit_ / 1ms);
    reported_at_ = now;
    unreported_ = 0;
    longest_unreported_ = {};
}

}  // namespace tidemill

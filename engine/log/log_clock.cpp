#include "engine/log/log_clock.h"

namespace tidemill {
namespace {

constexpr std::size_t kLeapsKept = 64;

}  // namespace

std::int64_t LogClock::now_ms(WallTime wall, MonoTime mono) {
    const std::int64_t mono_ms =
        std::chrono::floor<std::chrono::milliseconds>(mono.time_since_epoch()).count();
    const std::int64_t offset = to_millis(wall) - mono_ms;
    if (!is_started_ || offset <= offset_ms_ + kTolerance.count()) {
        is_started_ = true;
        is_distrusted_ = false;
        offset_ms_ = offset;
    } else if (!is_distrusted_) {
        is_distrusted_ = true;
        distrusted_since_ = mono;
    } else if (mono - distrusted_since_ >= kTrustAfter) {
        // The oldest of too many lives on in the next one: records are kept rather than lost.
        if (leaps_.size() == kLeapsKept) {
            leaps_[1].by_ms += leaps_[0].by_ms;
            leaps_.erase(leaps_.begin());
        }
        leaps_.push_back({mono, offset - offset_ms_});
        ++leap_count_;
        is_distrusted_ = false;
        offset_ms_ = offset;
    }
    return mono_ms + offset_ms_;
}

std::int64_t LogClock::lag_ms(MonoTime mono, std::int64_t retention_ms) const {
    std::int64_t lag = 0;
    for (const auto& leap : leaps_)
        if (mono - leap.when <= std::chrono::milliseconds(retention_ms)) lag += leap.by_ms;
    return lag;
}

}  // namespace tidemill

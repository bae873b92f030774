#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/time.h"

namespace tidemill {

/// The lane's idea of wall-clock time, which a system clock that leaps cannot fool into stamping
/// records far in the future or into letting them go early.
///
/// It follows the system's clock, back at once and forward at once by up to `kTolerance`. A greater
/// leap forward is followed only when it has lasted `kTrustAfter` by the monotonic clock; until
/// then time goes on from where it was. Once it is followed, what was stamped before is kept longer
/// by as much, so that its age is counted in time that has really passed.
///
/// Limits: what it knows ends with the process. A leap while no broker runs cannot be told from
/// time that has passed. Core: the lane's.
class LogClock {
 public:
    static constexpr std::chrono::milliseconds kTolerance{5'000};
    static constexpr std::chrono::minutes kTrustAfter{1};

    /// The time now. `wall` and `mono` are the system's, read together.
    std::int64_t now_ms(WallTime wall, MonoTime mono);

    /// How much longer than its retention a record stands by its stamp: it has expired when
    /// arrival + retention + lag < now. While a leap is younger than the retention nothing that
    /// came after it can be old enough; once it is older nothing from before it is owed to anybody.
    /// So one number serves all records of a shard.
    std::int64_t lag_ms(MonoTime mono, std::int64_t retention_ms) const;
    /// Counts the leaps that were followed: an expiry computed before holds no more when it
    /// changes.
    std::size_t leaps() const { return leap_count_; }

 private:
    struct Leap {
        MonoTime when;
        std::int64_t by_ms;
    };

    bool is_started_ = false;
    std::int64_t offset_ms_ = 0;  // wall minus mono, as believed
    MonoTime distrusted_since_{};
    bool is_distrusted_ = false;
    std::vector<Leap> leaps_;
    std::size_t leap_count_ = 0;
};

}  // namespace tidemill

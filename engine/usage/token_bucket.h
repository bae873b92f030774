#pragma once

#include "engine/base/time.h"

namespace tidemill {

/// How fast a bucket fills and how much it holds. Units: tokens a second, tokens.
struct BucketRate {
    double per_second = 1;
    double capacity = 1;
};

/// A mean rate with bursts: tokens come in steadily up to the capacity, and what is used takes them
/// out. Starts full. Whoever asks says what time it is; time that goes back counts as standing
/// still.
class TokenBucket {
 public:
    TokenBucket(BucketRate rate, MonoTime now) : rate_(rate), level_(rate.capacity), filled_(now) {}

    /// Whether `tokens` may be taken now. More than the bucket holds may be once it is full.
    bool would_take(double tokens, MonoTime now) const;
    /// Takes them if they may be; the level goes below zero for more than the bucket holds, so that
    /// the mean stays what it is.
    bool try_take(double tokens, MonoTime now);
    /// Takes what has been used already, whatever is left: it is owed. What was saved does not help
    /// with more than the bucket holds: 10 MiB of a bucket of 2 MiB/s are owed for 5 seconds.
    void charge(double tokens, MonoTime now);
    /// True while nothing is owed.
    bool is_clear(MonoTime now) const { return would_take(0, now); }
    /// As new: what it knows may be forgotten.
    bool is_full(MonoTime now) const { return level(now) >= rate_.capacity; }
    /// When nothing will be owed any more; `now` when nothing is.
    MonoTime clear_at(MonoTime now) const;
    /// Tokens left; below zero: owed.
    double level(MonoTime now) const;
    const BucketRate& rate() const { return rate_; }

 private:
    void take(double tokens, double from, MonoTime now);

    BucketRate rate_;
    double level_;     // at `filled_`
    MonoTime filled_;  // never goes back
};

}  // namespace tidemill

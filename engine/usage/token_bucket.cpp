#include "engine/usage/token_bucket.h"

#include <algorithm>

namespace tidemill {
namespace {

// What adding up small fractions may lose: nobody waits longer for it.
constexpr double kRounding = 1e-6;

}  // namespace

double TokenBucket::level(MonoTime now) const {
    if (now <= filled_) return level_;
    const std::chrono::duration<double> passed = now - filled_;
    return std::min(rate_.capacity, level_ + passed.count() * rate_.per_second);
}

void TokenBucket::take(double tokens, double from, MonoTime now) {
    level_ = from - tokens;
    filled_ = std::max(filled_, now);
}

bool TokenBucket::would_take(double tokens, MonoTime now) const {
    return level(now) >= std::min(tokens, rate_.capacity) - kRounding;
}

bool TokenBucket::try_take(double tokens, MonoTime now) {
    if (!would_take(tokens, now)) return false;
    take(tokens, level(now), now);
    return true;
}

void TokenBucket::charge(double tokens, MonoTime now) {
    const double before = level(now);
    take(tokens, tokens > rate_.capacity ? std::min(before, 0.0) : before, now);
}

MonoTime TokenBucket::clear_at(MonoTime now) const {
    const double owed = -level(now);
    if (owed <= 0) return now;
    const std::chrono::duration<double> wait{owed / rate_.per_second};
    // Rounded up: a wait that ends a tick too early would begin anew.
    return now + std::chrono::ceil<MonoTime::duration>(wait);
}

}  // namespace tidemill

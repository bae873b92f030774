#include "engine/base/histogram.h"

#include <algorithm>
#include <cmath>

namespace tidemill {

std::uint64_t Histogram::upper_bound_of(std::size_t bucket) {
    if (bucket < (2u << kSubBits)) return bucket;
    const auto shift = static_cast<unsigned>(bucket >> kSubBits) - 1;
    const std::uint64_t mantissa = (bucket & ((1u << kSubBits) - 1)) + (1u << kSubBits);
    return ((mantissa + 1) << shift) - 1;
}

void Histogram::merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i)
        counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::quantile(double fraction) const {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::clamp(
        std::ceil(fraction * static_cast<double>(count_)), 1.0, static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        seen += counts_[i];
        if (seen >= wanted) return std::min(upper_bound_of(i), max_);
    }
    return max_;
}

std::uint64_t Histogram::count_up_to(std::uint64_t bound) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets && upper_bound_of(i) <= bound; ++i)
        seen += counts_[i];
    return seen;
}

}  // namespace tidemill

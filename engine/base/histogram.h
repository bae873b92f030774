#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

namespace tidemill {

/// Counts of non-negative values in log-linear buckets: exact below 64, within 1/32 above. 15 KiB,
/// no allocation. Units: the caller's (latencies here are in nanoseconds or microseconds and say
/// which).
class Histogram {
 public:
    void record(std::uint64_t value) {
        ++counts_[bucket_of(value)];
        ++count_;
        sum_ += value;
        if (value > max_) max_ = value;
    }
    void merge(const Histogram& other);

    std::uint64_t count() const { return count_; }
    std::uint64_t sum() const { return sum_; }
    std::uint64_t max() const { return max_; }
    /// The smallest recorded bound that `fraction` of the values do not exceed; 0 when empty.
    std::uint64_t quantile(double fraction) const;
    /// How many values are at most `bound`, to within a bucket.
    std::uint64_t count_up_to(std::uint64_t bound) const;

 private:
    static constexpr unsigned kSubBits = 5;  // 32 buckets per power of two
    static constexpr std::size_t kBuckets = (64 - kSubBits) * (1u << kSubBits) + (1u << kSubBits);

    static std::size_t bucket_of(std::uint64_t value) {
        const auto width = static_cast<unsigned>(std::bit_width(value));
        if (width <= kSubBits + 1) return static_cast<std::size_t>(value);
        const unsigned shift = width - kSubBits - 1;
        return (static_cast<std::size_t>(shift) << kSubBits) +
               static_cast<std::size_t>(value >> shift);
    }
    static std::uint64_t upper_bound_of(std::size_t bucket);

    std::array<std::uint64_t, kBuckets> counts_{};
    std::uint64_t count_ = 0, sum_ = 0, max_ = 0;
};

}  // namespace tidemill

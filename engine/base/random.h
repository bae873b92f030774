#pragma once

#include <bit>
#include <cstdint>

namespace tidemill {

/// xoshiro256** seeded by splitmix64 (Blackman and Vigna, 2018). The one generator of the project:
/// the same seed gives the same numbers on every machine. Not for secrets.
class Random {
 public:
    explicit Random(std::uint64_t seed) {
        for (auto& word : state_) {
            seed += 0x9e3779b97f4a7c15;
            std::uint64_t z = seed;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
            z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
            word = z ^ (z >> 31);
        }
    }

    std::uint64_t next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }
    std::uint64_t operator()() { return next(); }

    /// Uniform in [0, bound); bound > 0. Lemire's multiply without the rejection step: bias below
    /// bound / 2^64.
    std::uint64_t below(std::uint64_t bound) {
        __extension__ using wide = unsigned __int128;
        return static_cast<std::uint64_t>(static_cast<wide>(next()) * bound >> 64);
    }
    /// Uniform in [0, 1).
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    bool chance(double probability) { return unit() < probability; }

 private:
    std::uint64_t state_[4];
};

}  // namespace tidemill

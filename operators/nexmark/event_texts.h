#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::nexmark {

/// Steps of a generator that is a function of its seed (splitmix64).
class Draw {
 public:
    explicit Draw(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    /// 0 .. bound - 1. Limits: bound below 2^32.
    std::uint64_t below(std::uint64_t bound) { return scale(next(), bound); }
    /// 32 upper bits of a draw as a number below `bound`.
    static std::uint64_t scale(std::uint64_t bits, std::uint64_t bound) {
        return (bits >> 32) * bound >> 32;
    }

 private:
    std::uint64_t state_;
};

/// What the texts of events are copied from: letters, names, the fixed addresses of channels. All
/// made from the seed, once.
class EventTexts {
 public:
    static constexpr std::size_t kChannels = 10'000;
    static constexpr std::size_t kHotChannels = 4;
    static constexpr std::size_t kLongestText = 1024;

    explicit EventTexts(std::uint64_t seed);

    /// `length` small letters; which ones, `bits` say. Limits: length up to kLongestText.
    std::string_view letters(std::uint64_t bits, std::size_t length) const {
        return {letters_.data() + bits % kLetters, length};
    }
    /// The same with a blank in 13 places on average.
    std::string_view words(std::uint64_t bits, std::size_t length) const {
        return {words_.data() + bits % kLetters, length};
    }
    struct Channel {
        std::string name, url;
    };
    /// The four that half of all bids come through, then 10,000 others.
    const Channel& channel(std::size_t i) const { return channels_[i]; }

    static constexpr std::array<std::string_view, 6> kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};
    static constexpr std::array<std::string_view, 10> kCities = {
        "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
        "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
    static constexpr std::array<std::string_view, 11> kFirstNames = {
        "Peter", "Paul",  "Luke",  "John",   "Saul",  "Vicky",
        "Kate",  "Julie", "Sarah", "Deiter", "Walter"};
    static constexpr std::array<std::string_view, 9> kLastNames = {
        "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"};

    /// 100 * 10^(6u) rounded, u = bits / 2^64.
    std::int64_t price(std::uint64_t bits) const {
        const double rest = static_cast<double>(bits >> 32 & 0xfff) * (kLogStep / 4096) + 1;
        return static_cast<std::int64_t>(coarse_[bits >> 54] * fine_[bits >> 44 & 0x3ff] * rest +
                                         0.5);
    }

 private:
    static constexpr std::size_t kLetters = 1 << 16;
    // 6 ln 10 / 2^20: what one step of the fine table leaves to a first order.
    static constexpr double kLogStep = 13.815510557964274 / (1 << 20);

    std::string letters_, words_;
    std::vector<Channel> channels_;
    std::array<double, 1024> coarse_{}, fine_{};
};

}  // namespace tidemill::nexmark

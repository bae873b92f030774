#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/stream.h"

namespace tidemill {

struct SampledKey {
    uint128 hash_key = 0;
    double weight = 0;            ///< records that it stands for
    std::string partition_key{};  ///< its beginning, `kKeptOfKey` bytes at most
};

/// So many keys show where a load lies; below, the middle of a shard is as good a guess.
constexpr std::size_t kKeysWanted = 16;

/// Hash keys of the latest writes to a shard: some of each batch, which stand for all of it.
class KeySample {
 public:
    static constexpr std::size_t kSize = 256;
    static constexpr std::uint32_t kOfBatch = 4;

    static constexpr std::size_t kKeptOfKey = 64;

    void add(uint128 hash_key, double weight, std::string_view partition_key) {
        auto& kept = keys_[next_++ % kSize];
        kept.hash_key = hash_key;
        kept.weight = weight;
        kept.partition_key.assign(partition_key.substr(0, kKeptOfKey));
    }
    std::vector<SampledKey> keys() const {
        return {keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(std::min(next_, kSize))};
    }
    /// Those that came since the last call; kSize at most, the latest.
    std::vector<SampledKey> take_new() {
        std::vector<SampledKey> fresh;
        for (auto i = std::max(taken_, next_ - std::min(next_, kSize)); i < next_; ++i)
            fresh.push_back(keys_[i % kSize]);
        taken_ = next_;
        return fresh;
    }

 private:
    std::array<SampledKey, kSize> keys_{};
    std::size_t next_ = 0, taken_ = 0;
};

/// Where a shard is best split.
struct SplitPoint {
    uint128 key = 0;        ///< begins the second child
    double share = 0.5;     ///< of the load, in the heavier child
    bool is_known = false;  ///< false: too little was sampled, this is the middle
};
/// The middle where that divides the load well enough, which keeps ranges even, else the key that
/// divides it best. Nothing when the range is too narrow.
std::optional<SplitPoint> best_split(const HashRange& range, std::vector<SampledKey> keys);

}  // namespace tidemill

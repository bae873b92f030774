#include "engine/usage/key_sample.h"

#include <algorithm>

#include "engine/catalog/reshard.h"

namespace tidemill {
namespace {

constexpr double kEvenEnough = 2.0 / 3;  // share of the heavier child that the middle may leave

}  // namespace

std::optional<SplitPoint> best_split(const HashRange& range, std::vector<SampledKey> keys) {
    const uint128 middle = middle_key(range);
    if (!may_split_at(range, middle)) return std::nullopt;
    std::erase_if(keys, [&](const SampledKey& k) { return !range.contains(k.hash_key); });
    if (keys.size() < kKeysWanted) return SplitPoint{middle, 0.5, false};
    std::ranges::sort(keys, {}, &SampledKey::hash_key);
    double total = 0;
    for (const auto& key : keys)
        total += key.weight;

    SplitPoint best{middle, 1, true};
    const auto consider = [&](uint128 key, double before) {
        const double share = std::max(before, total - before) / total;
        if (may_split_at(range, key) && share < best.share) best = {key, share, true};
    };
    double before = 0, before_middle = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const uint128 key = keys[i].hash_key;
        if (i == 0 || keys[i - 1].hash_key != key) consider(key, before);
        before += keys[i].weight;
        if (key < middle) before_middle = before;
        const bool is_last_of_key = i + 1 == keys.size() || keys[i + 1].hash_key != key;
        if (is_last_of_key && key != kUint128Max) consider(key + 1, before);
    }
    const double middle_share = std::max(before_middle, total - before_middle) / total;
    if (middle_share <= kEvenEnough) return SplitPoint{middle, middle_share, true};
    return best;
}

}  // namespace tidemill

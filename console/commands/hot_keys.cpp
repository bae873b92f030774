#include "console/commands/hot_keys.h"

#include <algorithm>
#include <map>

#include "operators/anomaly/hot_spots.h"

namespace tidemill::console {

namespace {

constexpr std::uint32_t kPoints = 1000;
// Of the key space: what lies nearer together than this is one place.
constexpr double kRadius = 1e-6;

}  // namespace

std::vector<HotKey> find_hot_keys(std::span<const client::SampledKey> sample, double least_share) {
    double total = 0;
    for (const auto& key : sample)
        total += key.records;
    if (total <= 0) return {};
    const auto least = std::clamp(least_share * kPoints, 2.0, double{kPoints});
    anomaly::HotSpotDetector detector({.columns = 1,
                                       .window = kPoints,
                                       .radius = kRadius,
                                       .minimum = static_cast<std::uint32_t>(least)});
    // In the order of their places, so that each place gets its points to within one.
    std::vector<client::SampledKey> sorted(sample.begin(), sample.end());
    std::ranges::sort(sorted, {}, &client::SampledKey::position);
    double before = 0;
    std::uint32_t points = 0;
    for (const auto& key : sorted) {
        before += key.records;
        for (; points < kPoints && (points + 0.5) * total <= before * kPoints; ++points)
            detector.insert({&key.position, 1});
    }
    std::vector<HotKey> found;
    for (const auto& spot : detector.hot_spots()) {
        HotKey hot{.partition_key = {}, .first = spot.low[0], .last = spot.high[0]};
        std::map<std::string_view, double> weights;
        double weight = 0;
        for (const auto& key : sample) {
            if (key.position < hot.first || key.position > hot.last) continue;
            weights[key.partition_key] += key.records;
            weight += key.records;
        }
        hot.keys = weights.size();
        hot.share = weight / total;
        hot.partition_key =
            std::ranges::max_element(weights, {}, [](const auto& w) { return w.second; })->first;
        if (hot.share >= least_share) found.push_back(std::move(hot));
    }
    std::ranges::sort(found, std::greater(), &HotKey::share);
    return found;
}

}  // namespace tidemill::console

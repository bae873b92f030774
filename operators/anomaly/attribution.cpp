#include "operators/anomaly/attribution.h"

#include <algorithm>
#include <limits>

namespace tidemill::anomaly {

CopyAttribution::CopyAttribution(const ForestArena& arena, const float* store,
                                 std::uint32_t columns)
    : arena_(arena),
      store_(store),
      columns_(columns),
      gap_(columns),
      share_(columns),
      shadow_(arena.layout.floats) {}

void CopyAttribution::add(std::uint32_t tree, std::uint32_t slot, std::uint32_t depth,
                          const float* point, double score, std::span<ColumnAttribution> shares) {
    const auto base = arena_.base(tree);
    const double even = score / (2.0 * columns_);
    std::ranges::fill(share_, ColumnAttribution{even, even});
    std::ranges::fill(shadow_, -std::numeric_limits<float>::infinity());
    std::uint32_t below = slot | kLeafBit;
    double level = depth;
    for (std::uint32_t node = arena_.leaves[base + slot].parent; node != kNone; level -= 1) {
        const Node& n = arena_.nodes[base + node];
        join(base, n.left() == below ? n.right() : n.left());
        const double outside = measure(point);
        if (outside == 0) break;
        const double whole = shadow_range() + outside;
        mix(outside / whole, 1 / whole / level);
        below = node;
        node = arena_.ups[base + node].parent;
    }
    double sum = 0;
    for (const auto& share : share_)
        sum += share.high + share.low;
    for (std::uint32_t c = 0; c < columns_; ++c) {
        shares[c].high += share_[c].high * score / sum;
        shares[c].low += share_[c].low * score / sum;
    }
}

double CopyAttribution::measure(const float* point) {
    std::ranges::fill(gap_, ColumnAttribution{});
    const auto lanes = arena_.layout.lanes;
    double sum = 0;
    std::uint32_t column = 0;
    for (std::uint32_t d = 0; d < arena_.dims; ++d) {
        const std::size_t at = d / lanes * 2 * lanes + d % lanes;
        const double above = double{std::max(point[d] - shadow_[at], 0.0F)};
        const double under = double{std::max(-point[d] - shadow_[at + lanes], 0.0F)};
        gap_[column].high += above;
        gap_[column].low += under;
        sum += above + under;
        if (++column == columns_) column = 0;
    }
    return sum;
}

void CopyAttribution::mix(double p, double scale) {
    for (std::uint32_t c = 0; c < columns_; ++c) {
        share_[c].high = share_[c].high * (1 - p) + gap_[c].high * scale;
        share_[c].low = share_[c].low * (1 - p) + gap_[c].low * scale;
    }
}

void CopyAttribution::join(std::size_t base, std::uint32_t node) {
    const auto lanes = arena_.layout.lanes;
    if (node & kLeafBit) {
        const auto slot = arena_.leaves[base + (node & kSlotMask)].point;
        const float* point = store_ + std::size_t{slot} * arena_.dims;
        for (std::uint32_t d = 0; d < arena_.dims; ++d) {
            const std::size_t at = d / lanes * 2 * lanes + d % lanes;
            shadow_[at] = std::max(shadow_[at], point[d]);
            shadow_[at + lanes] = std::max(shadow_[at + lanes], -point[d]);
        }
    } else {
        const float* box = arena_.box(base + node);
        for (std::size_t i = 0; i < shadow_.size(); ++i)
            shadow_[i] = std::max(shadow_[i], box[i]);
    }
}

double CopyAttribution::shadow_range() const {
    const auto lanes = arena_.layout.lanes;
    double sum = 0;
    for (std::uint32_t d = 0; d < arena_.dims; ++d) {
        const std::size_t at = d / lanes * 2 * lanes + d % lanes;
        sum += double{shadow_[at]} + double{shadow_[at + lanes]};
    }
    return sum;
}

void add_lanes(const ForestArena& arena, std::span<const float> sums,
               std::span<ColumnAttribution> shares) {
    const auto lanes = arena.layout.lanes;
    for (std::uint32_t d = 0; d < arena.dims; ++d) {
        const std::size_t at = d / lanes * 2 * lanes + d % lanes;
        shares[d % shares.size()].high += double{sums[at]};
        shares[d % shares.size()].low += double{sums[at + lanes]};
    }
}

}  // namespace tidemill::anomaly

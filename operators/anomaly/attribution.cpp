#include "operators/anomaly/attribution.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/anomaly/forest_state.h"
#include "operators/anomaly/tree_descent.h"

namespace tidemill::anomaly {

Attribution::Attribution(const ForestArena& arena, const float* store, std::uint32_t columns,
                         const SeenRule& rule)
    : arena_(arena),
      store_(store),
      columns_(columns),
      rule_(rule),
      gap_(columns),
      share_(columns),
      shadow_(arena.layout.floats),
      leaf_box_(arena.layout.floats) {}

double Attribution::measure(const float* box, const float* point) {
    std::ranges::fill(gap_, ColumnAttribution{});
    const auto lanes = arena_.layout.lanes;
    double sum = 0;
    std::uint32_t column = 0;
    for (std::uint32_t d = 0; d < arena_.dims; ++d) {
        const std::size_t at = d / lanes * 2 * lanes + d % lanes;
        const double above = std::max(point[d] - box[at], 0.0F);
        const double below = std::max(-point[d] - box[at + lanes], 0.0F);
        gap_[column].high += above;
        gap_[column].low += below;
        sum += above + below;
        if (++column == columns_) column = 0;
    }
    return sum;
}

void Attribution::mix(double p, double scale) {
    for (std::uint32_t c = 0; c < columns_; ++c) {
        share_[c].high = share_[c].high * (1 - p) + gap_[c].high * scale;
        share_[c].low = share_[c].low * (1 - p) + gap_[c].low * scale;
    }
}

void Attribution::add_tree(std::uint32_t tree, const float* point,
                           std::span<ColumnAttribution> shares) {
    if (arena_.root[tree] == kNone) return;
    const auto base = arena_.base(tree);
    std::uint32_t depth;
    const auto slot = descend(arena_.nodes.data() + base, arena_.root[tree], point, depth);
    const Leaf& leaf = arena_.leaves[base + slot];
    const float* leaf_point = store_ + std::size_t{leaf.point} * arena_.dims;
    if (equals(leaf_point, point, arena_.dims)) {
        const double score = double{seen_score(leaf, depth, arena_.mass[tree], rule_)};
        follow_shadow(base, slot, depth, point, score);
    } else {
        copy_leaf_box(leaf_point);
        const double apart = measure(leaf_box_.data(), point);
        std::ranges::fill(share_, ColumnAttribution{});
        mix(1, 1.0 / (depth + 1) / apart);
        double level = depth;
        for (std::uint32_t node = leaf.parent; node != kNone; level -= 1) {
            const double outside = measure(arena_.box(base + node), point);
            if (outside == 0) break;
            const NodeUp up = arena_.ups[base + node];
            const double whole = double{up.range} + outside;
            mix(outside / whole, 1 / whole / level);
            node = up.parent;
        }
    }
    for (std::uint32_t c = 0; c < columns_; ++c) {
        shares[c].high += share_[c].high;
        shares[c].low += share_[c].low;
    }
}

void Attribution::follow_shadow(std::size_t base, std::uint32_t slot, std::uint32_t depth,
                                const float* point, double score) {
    const double equal = score / (2.0 * columns_);
    std::ranges::fill(share_, ColumnAttribution{equal, equal});
    std::ranges::fill(shadow_, -std::numeric_limits<float>::infinity());
    std::uint32_t below = slot | kLeafBit;
    double level = depth;
    for (std::uint32_t node = arena_.leaves[base + slot].parent; node != kNone; level -= 1) {
        const Node& n = arena_.nodes[base + node];
        join(base, n.left() == below ? n.right() : n.left());
        const double outside = measure(shadow_.data(), point);
        if (outside == 0) break;
        const double whole = shadow_range() + outside;
        mix(outside / whole, 1 / whole / level);
        below = node;
        node = arena_.ups[base + node].parent;
    }
    double sum = 0;
    for (const auto& share : share_)
        sum += share.high + share.low;
    for (auto& share : share_) {
        share.high *= score / sum;
        share.low *= score / sum;
    }
}

void Attribution::join(std::size_t base, std::uint32_t node) {
    const float* box = leaf_box_.data();
    if (node & kLeafBit) {
        const float* point =
            store_ + std::size_t{arena_.leaves[base + (node & kSlotMask)].point} * arena_.dims;
        copy_leaf_box(point);
    } else {
        box = arena_.box(base + node);
    }
    for (std::size_t i = 0; i < shadow_.size(); ++i)
        shadow_[i] = std::max(shadow_[i], box[i]);
}

void Attribution::copy_leaf_box(const float* point) {
    const auto lanes = arena_.layout.lanes;
    std::ranges::fill(leaf_box_, kPadding);
    for (std::uint32_t d = 0; d < arena_.dims; ++d) {
        const std::size_t at = d / lanes * 2 * lanes + d % lanes;
        leaf_box_[at] = point[d];
        leaf_box_[at + lanes] = -point[d];
    }
}

double Attribution::shadow_range() const {
    const auto lanes = arena_.layout.lanes;
    double sum = 0;
    for (std::uint32_t d = 0; d < arena_.dims; ++d) {
        const std::size_t at = d / lanes * 2 * lanes + d % lanes;
        sum += double{shadow_[at]} + double{shadow_[at + lanes]};
    }
    return sum;
}

void RandomCutForest::Impl::attribute(std::span<const double> record,
                                      std::span<ColumnAttribution> shares) {
    std::ranges::fill(shares, ColumnAttribution{});
    if (points < warm_up || recent_records + 1 < config.shingle) return;
    if (!append(record.data())) return;
    --recent_records;  // what follows only looks; process() appends the record again
    Attribution attribution(arena, store.data(), config.columns, rule);
    for (std::uint32_t tree = 0; tree < config.trees; ++tree)
        attribution.add_tree(tree, recent.data(), shares);
    const double scale = factor(points) / config.trees;
    for (auto& share : shares) {
        share.high *= scale;
        share.low *= scale;
    }
}

}  // namespace tidemill::anomaly

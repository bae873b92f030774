#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "operators/anomaly/forest_arena.h"
#include "operators/anomaly/forest_kernel.h"

namespace tidemill::anomaly {

/// The leaf slot that `point` falls to.
inline std::uint32_t descend(const Node* nodes, std::uint32_t root, const float* point,
                             std::uint32_t& depth) {
    std::uint32_t node = root;
    std::uint32_t steps = 0;
    while (!(node & kLeafBit)) {
        const Node& n = nodes[node];
        node = point[n.dimension()] <= n.cut ? n.left() : n.right();
        ++steps;
    }
    depth = steps;
    return node & kSlotMask;
}

/// Same bits; points hold neither NaN nor -0.0.
inline bool equals(const float* a, const float* b, std::uint32_t dims) {
    return std::memcmp(a, b, dims * sizeof(float)) == 0;
}

/// The score of a point that equals leaf `leaf`.
inline float seen_score(const Leaf& leaf, std::uint32_t depth, std::uint32_t tree_mass,
                        const SeenRule& rule) {
    if (depth == 0 && rule.lone_leaf_by_mass) return 1.0F / static_cast<float>(leaf.mass + 1);
    double score = 1.0 / (depth + std::log2(leaf.mass + 1.0));
    if (rule.damps_duplicates) score *= 1 - leaf.mass / (2.0 * tree_mass);
    return static_cast<float>(score);
}

}  // namespace tidemill::anomaly

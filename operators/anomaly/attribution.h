#pragma once

#include <span>
#include <vector>

#include "operators/anomaly/forest_arena.h"
#include "operators/anomaly/random_cut_forest.h"

namespace tidemill::anomaly {

/// The shares of a point that equals a leaf, one tree at a time: the leaf is taken out of the boxes
/// (they shrink to those of its siblings), the recursion of the score runs over what is left to see
/// in which direction the copy lies, and the result is scaled to the score. What no box decides is
/// split evenly.
class CopyAttribution {
 public:
    CopyAttribution(const ForestArena& arena, const float* store, std::uint32_t columns);

    /// Adds the shares of `score`, which the tree gives to a point equal to leaf `slot` at `depth`.
    void add(std::uint32_t tree, std::uint32_t slot, std::uint32_t depth, const float* point,
             double score, std::span<ColumnAttribution> shares);

 private:
    /// Gaps by column between the point and the shadow box; returns their sum.
    double measure(const float* point);
    /// share = share * (1 - p) + gap * scale.
    void mix(double p, double scale);
    void join(std::size_t base, std::uint32_t node);
    double shadow_range() const;

    const ForestArena& arena_;
    const float* store_;
    std::uint32_t columns_;
    std::vector<ColumnAttribution> gap_, share_;
    std::vector<float> shadow_;
};

/// Adds sums that are in the layout of a box to the columns that their lanes belong to.
void add_lanes(const ForestArena& arena, std::span<const float> sums,
               std::span<ColumnAttribution> shares);

}  // namespace tidemill::anomaly

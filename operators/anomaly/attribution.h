#pragma once

#include <span>
#include <vector>

#include "operators/anomaly/forest_arena.h"
#include "operators/anomaly/forest_kernel.h"
#include "operators/anomaly/random_cut_forest.h"

namespace tidemill::anomaly {

/// Splits the score of a point by column and direction: the recursion of the score, with vectors in
/// place of numbers. Where the point equals a leaf, the leaf is taken out of the boxes (they shrink
/// to those of its siblings) to see in which direction the copy lies, and the shares are scaled to
/// the score. Complexity: trees * boxes outside of which the point lies * dimensions.
class Attribution {
 public:
    Attribution(const ForestArena& arena, const float* store, std::uint32_t columns,
                const SeenRule& rule);

    /// Adds the shares of one tree's unscaled score. `point` as for ForestKernel.
    void add_tree(std::uint32_t tree, const float* point, std::span<ColumnAttribution> shares);

 private:
    /// Gaps by column between the point and a box; returns their sum.
    double measure(const float* box, const float* point);
    /// share = share * (1 - p) + gap * scale.
    void mix(double p, double scale);
    void follow_shadow(std::size_t base, std::uint32_t leaf, std::uint32_t depth,
                       const float* point, double score);
    void join(std::size_t base, std::uint32_t node);
    void copy_leaf_box(const float* point);
    double shadow_range() const;

    const ForestArena& arena_;
    const float* store_;
    std::uint32_t columns_;
    SeenRule rule_;
    std::vector<ColumnAttribution> gap_, share_;
    std::vector<float> shadow_, leaf_box_;
};

}  // namespace tidemill::anomaly

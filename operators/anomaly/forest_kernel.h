#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/random.h"
#include "operators/anomaly/forest_arena.h"

namespace tidemill::anomaly {

/// How much a tree says when the point equals a leaf.
struct SeenRule {
    bool damps_duplicates;   ///< times 1 - mass / (2 * tree mass)
    bool lone_leaf_by_mass;  ///< a tree of one leaf says 1 / (mass + 1)
};

/// (tree, point) pairs to score, and the result of each: 1/(depth + 1) as expected if the point
/// were inserted.
struct ScoreItems {
    std::vector<std::int32_t> tree;   ///< index of the tree
    std::vector<std::int32_t> point;  ///< index of its first coordinate in the points given
    std::vector<float> score;
    std::vector<std::int32_t> leaf, depth;  ///< where each point fell

    void clear() {
        tree.clear();
        point.clear();
    }
    /// `count` points one after the other, each `stride` values further.
    void add_run(std::uint32_t tree_index, std::size_t first, std::size_t stride,
                 std::size_t count) {
        const auto at = tree.size();
        tree.resize(at + count, static_cast<std::int32_t>(tree_index));
        point.resize(at + count);
        for (std::size_t i = 0; i < count; ++i)
            point[at + i] = static_cast<std::int32_t>(first + i * stride);
    }
};

constexpr std::uint32_t kUnknownLeaf = 0xffffffff;

struct Inserted {
    std::uint16_t leaf;
    bool is_new;  ///< the caller sets the new leaf's point slot
};

/// The hot loops, compiled once for each instruction set. All kernels give the same bits: every sum
/// has one order (lanes, then halves), and products are not fused with sums. `store` is
/// PointStore::data(); points have kOverread finite floats after them.
struct ForestKernel {
    const char* name;
    void (*score)(const ForestArena&, const float* store, const float* points, const SeenRule&,
                  ScoreItems&);
    /// Adds to `sums`, in the layout of a box, how much each lane's gap carries of the items'
    /// scores. Items that equal their leaf are left out and their indices put into
    /// `seen`.
    void (*share)(const ForestArena&, const float* store, const float* points, const ScoreItems&,
                  float* sums, std::vector<std::uint32_t>& seen);
    /// `leaf`: the slot of the leaf that the point falls to, if the caller knows it, or
    /// kUnknownLeaf.
    Inserted (*insert)(ForestArena&, const float* store, std::uint32_t tree, const float* point,
                       std::uint32_t leaf, Random&);
    /// Takes one copy of the leaf's point out of the tree; true if the leaf is gone.
    bool (*remove)(ForestArena&, const float* store, std::uint32_t tree, std::uint16_t leaf);
    /// Makes the box and range of an inner node from its children's.
    void (*rebuild_box)(ForestArena&, const float* store, std::uint32_t tree, std::uint16_t inner);
};

/// Those this processor can run, slowest first; never empty.
std::span<const ForestKernel* const> available_kernels();
/// The fastest of them.
const ForestKernel& best_kernel();

}  // namespace tidemill::anomaly

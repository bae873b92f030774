#pragma once

#include <cstdint>

#include "operators/anomaly/aligned_array.h"

namespace tidemill::anomaly {

/// A node is named by 11 bits within its tree: inner nodes 0.., leaves kLeafBit + 0... No pointers:
/// a tree can be moved.
constexpr std::uint32_t kLeafBit = 0x400;
constexpr std::uint32_t kSlotMask = kLeafBit - 1;
constexpr std::uint16_t kNone = 0xffff;

/// What a descent reads: the cut and, packed, dimension (10 bits), left child (11), right child
/// (11).
struct Node {
    float cut;
    std::uint32_t links;

    std::uint32_t dimension() const { return links & 0x3ff; }
    std::uint32_t left() const { return links >> 10 & 0x7ff; }
    std::uint32_t right() const { return links >> 21; }
    static std::uint32_t pack(std::uint32_t dimension, std::uint32_t left, std::uint32_t right) {
        return dimension | left << 10 | right << 21;
    }
};
/// What the way up reads beside the box. `range` is the sum of the box's sides; parent is kNone at
/// the root.
struct NodeUp {
    float range;
    std::uint16_t parent;
    std::uint16_t mass;
};
struct Leaf {
    std::uint32_t point;  ///< slot in the point store
    std::uint16_t parent;
    std::uint16_t mass;
};
static_assert(sizeof(Node) == 8 && sizeof(NodeUp) == 8 && sizeof(Leaf) == 8);

/// A box is stored as blocks of `lanes` maxima followed by `lanes` negated minima, so the distance
/// of a point to it is one subtraction and one maximum a lane, and the union of two boxes is one
/// maximum a lane. Lanes beyond the last dimension hold kPadding, which no point passes.
struct BoxLayout {
    std::uint32_t lanes;  ///< dimensions of a block: 1, 2 or 8
    std::uint32_t blocks;
    std::uint32_t floats;  ///< of a whole box
};
constexpr BoxLayout box_layout(std::uint32_t dims) {
    const std::uint32_t lanes = dims <= 2 ? dims : 8;
    const std::uint32_t blocks = (dims + lanes - 1) / lanes;
    return {lanes, blocks, 2 * lanes * blocks};
}
/// Point coordinates are clamped to +-kLargest, so that no sum of ranges overflows a float.
constexpr float kLargest = 1e34F;
constexpr float kPadding = 1e35F;
/// Floats after the last coordinate of a point that may be read (and must be finite).
constexpr std::uint32_t kOverread = 16;
constexpr std::uint32_t kMaxDims = 30 * 30;

/// All trees of a forest as arrays with one stride; a tree's part begins at tree * sample.
struct ForestArena {
    ForestArena(std::uint32_t tree_count, std::uint32_t sample_size, std::uint32_t dimensions);

    std::uint32_t trees, sample, dims;
    BoxLayout layout;
    AlignedArray<Node> nodes;
    AlignedArray<NodeUp> ups;
    AlignedArray<Leaf> leaves;
    AlignedArray<float> boxes;
    // one element a tree
    AlignedArray<std::uint16_t> root;  ///< kNone while empty
    AlignedArray<std::uint16_t> mass;  ///< points in the tree, copies counted
    AlignedArray<std::uint16_t> inner_used,
        inner_free;  ///< slots ever used; first of the chain of free ones
    AlignedArray<std::uint16_t> leaf_used, leaf_free;

    std::size_t base(std::uint32_t tree) const { return std::size_t{tree} * sample; }
    float* box(std::size_t node) { return boxes.data() + node * layout.floats; }
    const float* box(std::size_t node) const { return boxes.data() + node * layout.floats; }

    std::uint16_t new_inner(std::uint32_t tree);
    std::uint16_t new_leaf(std::uint32_t tree);
    void free_inner(std::uint32_t tree, std::uint32_t slot);
    void free_leaf(std::uint32_t tree, std::uint32_t slot);
    std::uint16_t& parent_of(std::size_t tree_base, std::uint32_t node) {
        return node & kLeafBit ? leaves[tree_base + (node & kSlotMask)].parent
                               : ups[tree_base + node].parent;
    }
    std::uint16_t mass_of(std::size_t tree_base, std::uint32_t node) const {
        return node & kLeafBit ? leaves[tree_base + (node & kSlotMask)].mass
                               : ups[tree_base + node].mass;
    }
};

}  // namespace tidemill::anomaly

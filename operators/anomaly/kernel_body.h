#pragma once
// The scalar code of the hot loops, written so that a compiler turns lane loops into whatever
// vectors its target has. Each kernel_*.cpp includes it under its own target, hence the unnamed
// namespace.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "operators/anomaly/forest_kernel.h"
#include "operators/anomaly/tree_descent.h"

#pragma clang fp contract(off)

namespace tidemill::anomaly {
namespace {

/// Operations on boxes whose blocks have L lanes. `boxed` points have the same layout: the point as
/// a box of no extent.
template <std::uint32_t L>
struct BoxOps {
    static float reduce(const float (&sum)[2 * L]) {
        float half[L];
        for (std::uint32_t i = 0; i < L; ++i)
            half[i] = sum[i] + sum[i + L];
        if constexpr (L == 8) {
            for (std::uint32_t i = 0; i < 4; ++i)
                half[i] += half[i + 4];
            for (std::uint32_t i = 0; i < 2; ++i)
                half[i] += half[i + 2];
        }
        if constexpr (L > 1) half[0] += half[1];
        return half[0];
    }

    /// L1 distance of a point to a box.
    static float distance(const float* box, const float* point, std::uint32_t blocks) {
        float sum[2 * L] = {};
        for (std::uint32_t b = 0; b < blocks; ++b, box += 2 * L, point += L) {
            for (std::uint32_t i = 0; i < L; ++i)
                sum[i] += std::max(point[i] - box[i], 0.0F);
            for (std::uint32_t i = 0; i < L; ++i)
                sum[i + L] += std::max(-point[i] - box[i + L], 0.0F);
        }
        return reduce(sum);
    }

    static float range(const float* box, std::uint32_t dims) {
        float sum[L] = {};
        std::uint32_t d = 0;
        for (; d + L <= dims; d += L, box += 2 * L)
            for (std::uint32_t i = 0; i < L; ++i)
                sum[i] += box[i] + box[i + L];
        for (std::uint32_t i = 0; d + i < dims; ++i)
            sum[i] += box[i] + box[i + L];
        if constexpr (L == 8) {
            for (std::uint32_t i = 0; i < 4; ++i)
                sum[i] += sum[i + 4];
            for (std::uint32_t i = 0; i < 2; ++i)
                sum[i] += sum[i + 2];
        }
        if constexpr (L > 1) sum[0] += sum[1];
        return sum[0];
    }

    static void to_box(float* box, const float* point, std::uint32_t dims) {
        std::uint32_t d = 0;
        for (; d + L <= dims; d += L, box += 2 * L)
            for (std::uint32_t i = 0; i < L; ++i) {
                box[i] = point[d + i];
                box[i + L] = -point[d + i];
            }
        if (d == dims) return;
        for (std::uint32_t i = 0; i < L; ++i) {
            const bool is_real = d + i < dims;
            box[i] = is_real ? point[d + i] : kPadding;
            box[i + L] = is_real ? -point[d + i] : kPadding;
        }
    }

    static void join(float* into, const float* a, const float* b, std::uint32_t floats) {
        for (std::uint32_t i = 0; i < floats; ++i)
            into[i] = std::max(a[i], b[i]);
    }

    static float maximum(const float* box, std::uint32_t d) { return box[d / L * 2 * L + d % L]; }
    static float minimum(const float* box, std::uint32_t d) {
        return -box[d / L * 2 * L + L + d % L];
    }
};

constexpr std::uint32_t kMaxBoxFloats = box_layout(kMaxDims).floats;

template <std::uint32_t L>
struct TreeOps {
    using Box = BoxOps<L>;

    static float score_one(const ForestArena& a, const float* store, std::uint32_t tree,
                           const float* point, const SeenRule& rule, std::uint32_t& slot,
                           std::uint32_t& depth) {
        const auto base = a.base(tree);
        slot = depth = 0;
        if (a.root[tree] == kNone) return 0;
        slot = descend(a.nodes.data() + base, a.root[tree], point, depth);
        const Leaf& leaf = a.leaves[base + slot];
        const auto is_seen = [&] {
            return equals(store + std::size_t{leaf.point} * a.dims, point, a.dims);
        };
        if (depth == 0) return is_seen() ? seen_score(leaf, 0, a.mass[tree], rule) : 1.0F;
        float score = 1.0F / static_cast<float>(depth + 1);
        float level = static_cast<float>(depth);
        for (std::uint32_t node = leaf.parent; node != kNone; level -= 1) {
            const float outside = Box::distance(a.box(base + node), point, a.layout.blocks);
            if (outside == 0) {
                // Inside the box of its leaf's parent, which is the first looked at: only then can
                // it equal the leaf.
                if (node == leaf.parent && is_seen())
                    return seen_score(leaf, depth, a.mass[tree], rule);
                break;
            }
            const NodeUp up = a.ups[base + node];
            const float p = outside / (up.range + outside);
            score = score + p * (1.0F / level - score);
            node = up.parent;
        }
        return score;
    }

    static void score(const ForestArena& a, const float* store, const float* points,
                      const SeenRule& rule, ScoreItems& items) {
        const auto count = items.tree.size();
        items.score.resize(count);
        items.leaf.resize(count);
        items.depth.resize(count);
        for (std::size_t i = 0; i < count; ++i) {
            std::uint32_t slot, depth;
            items.score[i] = score_one(a, store, static_cast<std::uint32_t>(items.tree[i]),
                                       points + items.point[i], rule, slot, depth);
            items.leaf[i] = static_cast<std::int32_t>(slot);
            items.depth[i] = static_cast<std::int32_t>(depth);
        }
    }

    static void add_gaps(float* __restrict sums, const float* __restrict box,
                         const float* __restrict point, std::uint32_t blocks, float weight) {
        for (std::uint32_t b = 0; b < blocks; ++b, box += 2 * L, sums += 2 * L, point += L) {
            for (std::uint32_t i = 0; i < L; ++i)
                sums[i] += weight * std::max(point[i] - box[i], 0.0F);
            for (std::uint32_t i = 0; i < L; ++i)
                sums[i + L] += weight * std::max(-point[i] - box[i + L], 0.0F);
        }
    }

    /// The recursion of the score unrolled: from the top, what a level keeps for those below it.
    /// False if the point equals the leaf.
    static bool share_one(const ForestArena& a, const float* store, std::uint32_t tree,
                          std::uint32_t slot, std::uint32_t depth, const float* point,
                          float* sums) {
        const auto base = a.base(tree);
        const Leaf& leaf = a.leaves[base + slot];
        const float* leaf_point = store + std::size_t{leaf.point} * a.dims;
        if (equals(leaf_point, point, a.dims)) return false;
        struct Level {
            const float* box;
            float part, weight;
        };
        Level path[kSlotMask];
        std::uint32_t count = 0;
        float level = static_cast<float>(depth);
        for (std::uint32_t node = leaf.parent; node != kNone; level -= 1) {
            const float* box = a.box(base + node);
            const float outside = Box::distance(box, point, a.layout.blocks);
            if (outside == 0) break;
            const NodeUp up = a.ups[base + node];
            const float whole = up.range + outside;
            path[count++] = {box, outside / whole, 1.0F / level / whole};
            node = up.parent;
        }
        float keep = 1;
        while (count > 0) {
            --count;
            add_gaps(sums, path[count].box, point, a.layout.blocks, keep * path[count].weight);
            keep *= 1 - path[count].part;
        }
        alignas(64) float scratch[kMaxBoxFloats];
        Box::to_box(scratch, leaf_point, a.dims);
        const float apart = Box::distance(scratch, point, a.layout.blocks);
        add_gaps(sums, scratch, point, a.layout.blocks,
                 keep / static_cast<float>(depth + 1) / apart);
        return true;
    }

    static void share(const ForestArena& a, const float* store, const float* points,
                      const ScoreItems& items, float* sums, std::vector<std::uint32_t>& seen) {
        for (std::uint32_t i = 0; i < items.tree.size(); ++i)
            if (!share_one(a, store, static_cast<std::uint32_t>(items.tree[i]),
                           static_cast<std::uint32_t>(items.leaf[i]),
                           static_cast<std::uint32_t>(items.depth[i]), points + items.point[i],
                           sums))
                seen.push_back(i);
    }

    static void box_of(const ForestArena& a, const float* store, std::size_t base,
                       std::uint32_t node, float* scratch, const float*& box) {
        if (node & kLeafBit) {
            const auto slot = a.leaves[base + (node & kSlotMask)].point;
            Box::to_box(scratch, store + std::size_t{slot} * a.dims, a.dims);
            box = scratch;
        } else {
            box = a.box(base + node);
        }
    }

    static void replace_child(ForestArena& a, std::uint32_t tree, std::uint16_t parent,
                              std::uint32_t old_child, std::uint32_t new_child) {
        if (parent == kNone) {
            a.root[tree] = static_cast<std::uint16_t>(new_child);
            return;
        }
        Node& n = a.nodes[a.base(tree) + parent];
        const bool is_left = n.left() == old_child;
        n.links = Node::pack(n.dimension(), is_left ? new_child : n.left(),
                             is_left ? n.right() : new_child);
    }

    /// A cut in the part of the joined box that is the point's alone, `at` of the way through it (0
    /// <= at < 1).
    static Node draw_cut(const float* box, const float* point, std::uint32_t dims, double at,
                         bool& point_is_left) {
        double total = 0;
        for (std::uint32_t d = 0; d < dims; ++d)
            total += std::max({0.0, double{point[d]} - double{Box::maximum(box, d)},
                               double{Box::minimum(box, d)} - double{point[d]}});
        double left = at * total;
        std::uint32_t dimension = 0;
        double offset = 0;
        for (std::uint32_t d = 0; d < dims; ++d) {
            const double gap = std::max({0.0, double{point[d]} - double{Box::maximum(box, d)},
                                         double{Box::minimum(box, d)} - double{point[d]}});
            if (gap <= 0) continue;
            dimension = d;  // rounding may run past the last gap: then it is the last
            offset = std::min(left, gap);
            if (left < gap) break;
            left -= gap;
        }
        const float p = point[dimension];
        const float low_side = Box::maximum(box, dimension);
        const float high_side = Box::minimum(box, dimension);
        point_is_left = p < high_side;
        // Left is x <= cut, so the cut lies in [low, high).
        const float low = point_is_left ? p : low_side;
        const float high = point_is_left ? high_side : p;
        float cut = static_cast<float>(double{low} + offset);
        if (cut >= high) cut = std::nextafter(high, low);
        if (cut < low) cut = low;
        return {cut, dimension};
    }

    static Inserted insert(ForestArena& a, const float* store, std::uint32_t tree,
                           const float* point, std::uint32_t known_leaf, Random& random) {
        const auto base = a.base(tree);
        ++a.mass[tree];
        if (a.root[tree] == kNone) {
            const auto leaf = a.new_leaf(tree);
            a.leaves[base + leaf] = {0, kNone, 1};
            a.root[tree] = static_cast<std::uint16_t>(leaf | kLeafBit);
            return {leaf, true};
        }
        std::uint32_t depth;
        const auto slot = known_leaf != kUnknownLeaf
                              ? known_leaf
                              : descend(a.nodes.data() + base, a.root[tree], point, depth);
        Leaf& leaf = a.leaves[base + slot];
        const auto add_mass = [&](std::uint32_t from) {
            for (std::uint32_t n = from; n != kNone; n = a.ups[base + n].parent)
                ++a.ups[base + n].mass;
        };
        if (equals(store + std::size_t{leaf.point} * a.dims, point, a.dims)) {
            ++leaf.mass;
            add_mass(leaf.parent);
            return {static_cast<std::uint16_t>(slot), false};
        }

        // One independent cut a level, upwards; the topmost that separates is where the point
        // belongs. No cut above a box that contains the point can separate it.
        std::uint32_t sibling = slot | kLeafBit;
        double at = random.unit();
        std::uint32_t inside = leaf.parent;
        for (; inside != kNone; inside = a.ups[base + inside].parent) {
            const double outside =
                double{Box::distance(a.box(base + inside), point, a.layout.blocks)};
            if (outside == 0) break;
            const double draw = random.unit() * (outside + double{a.ups[base + inside].range});
            if (draw < outside) {
                sibling = inside;
                at = draw / outside;
            }
        }

        alignas(64) float scratch[kMaxBoxFloats];
        alignas(64) float boxed[kMaxBoxFloats];
        const float* sibling_box;
        box_of(a, store, base, sibling, scratch, sibling_box);
        bool point_is_left;
        Node node = draw_cut(sibling_box, point, a.dims, at, point_is_left);

        const auto fresh = a.new_leaf(tree);
        const auto inner = a.new_inner(tree);
        const std::uint32_t fresh_node = fresh | kLeafBit;
        node.links = point_is_left ? Node::pack(node.links, fresh_node, sibling)
                                   : Node::pack(node.links, sibling, fresh_node);
        const auto parent = a.parent_of(base, sibling);
        replace_child(a, tree, parent, sibling, inner);
        Box::to_box(boxed, point, a.dims);
        float* box = a.box(base + inner);
        Box::join(box, sibling_box, boxed, a.layout.floats);
        a.nodes[base + inner] = node;
        a.ups[base + inner] = {Box::range(box, a.dims), parent,
                               static_cast<std::uint16_t>(a.mass_of(base, sibling) + 1)};
        a.leaves[base + fresh] = {0, inner, 1};
        a.parent_of(base, sibling) = inner;
        add_mass(parent);
        for (std::uint32_t n = parent; n != inside; n = a.ups[base + n].parent) {
            float* grown = a.box(base + n);
            Box::join(grown, grown, boxed, a.layout.floats);
            a.ups[base + n].range = Box::range(grown, a.dims);
        }
        return {fresh, true};
    }

    static bool touches(const float* box, const float* boxed, std::uint32_t floats) {
        bool any = false;
        for (std::uint32_t i = 0; i < floats; ++i)
            any |= (boxed[i] >= box[i]) & (box[i] < kPadding);
        return any;
    }

    static void rebuild_box(ForestArena& a, const float* store, std::uint32_t tree,
                            std::uint16_t inner) {
        const auto base = a.base(tree);
        alignas(64) float left_scratch[kMaxBoxFloats], right_scratch[kMaxBoxFloats];
        const float *left, *right;
        const Node n = a.nodes[base + inner];
        box_of(a, store, base, n.left(), left_scratch, left);
        box_of(a, store, base, n.right(), right_scratch, right);
        float* box = a.box(base + inner);
        Box::join(box, left, right, a.layout.floats);
        a.ups[base + inner].range = Box::range(box, a.dims);
    }

    static bool remove(ForestArena& a, const float* store, std::uint32_t tree, std::uint16_t slot) {
        const auto base = a.base(tree);
        Leaf& leaf = a.leaves[base + slot];
        --a.mass[tree];
        for (std::uint32_t n = leaf.parent; n != kNone; n = a.ups[base + n].parent)
            --a.ups[base + n].mass;
        if (--leaf.mass > 0) return false;

        const float* point = store + std::size_t{leaf.point} * a.dims;
        const std::uint32_t parent = leaf.parent;
        a.free_leaf(tree, slot);
        if (parent == kNone) {
            a.root[tree] = kNone;
            return true;
        }
        const Node n = a.nodes[base + parent];
        const std::uint32_t sibling = n.left() == (slot | kLeafBit) ? n.right() : n.left();
        const auto grandparent = a.ups[base + parent].parent;
        replace_child(a, tree, grandparent, parent, sibling);
        a.parent_of(base, sibling) = grandparent;
        a.free_inner(tree, parent);

        alignas(64) float boxed[kMaxBoxFloats];
        Box::to_box(boxed, point, a.dims);
        for (std::uint32_t up = grandparent; up != kNone; up = a.ups[base + up].parent) {
            // Strictly inside this box the point held none of its faces, nor any above.
            if (!touches(a.box(base + up), boxed, a.layout.floats)) break;
            rebuild_box(a, store, tree, static_cast<std::uint16_t>(up));
        }
        return true;
    }
};

[[maybe_unused]] void score_any(const ForestArena& a, const float* store, const float* points,
                                const SeenRule& rule, ScoreItems& items) {
    if (a.layout.lanes == 8) return TreeOps<8>::score(a, store, points, rule, items);
    if (a.layout.lanes == 2) return TreeOps<2>::score(a, store, points, rule, items);
    TreeOps<1>::score(a, store, points, rule, items);
}
void share_any(const ForestArena& a, const float* store, const float* points,
               const ScoreItems& items, float* sums, std::vector<std::uint32_t>& seen) {
    if (a.layout.lanes == 8) return TreeOps<8>::share(a, store, points, items, sums, seen);
    if (a.layout.lanes == 2) return TreeOps<2>::share(a, store, points, items, sums, seen);
    TreeOps<1>::share(a, store, points, items, sums, seen);
}
Inserted insert_any(ForestArena& a, const float* store, std::uint32_t tree, const float* point,
                    std::uint32_t leaf, Random& random) {
    if (a.layout.lanes == 8) return TreeOps<8>::insert(a, store, tree, point, leaf, random);
    if (a.layout.lanes == 2) return TreeOps<2>::insert(a, store, tree, point, leaf, random);
    return TreeOps<1>::insert(a, store, tree, point, leaf, random);
}
bool remove_any(ForestArena& a, const float* store, std::uint32_t tree, std::uint16_t leaf) {
    if (a.layout.lanes == 8) return TreeOps<8>::remove(a, store, tree, leaf);
    if (a.layout.lanes == 2) return TreeOps<2>::remove(a, store, tree, leaf);
    return TreeOps<1>::remove(a, store, tree, leaf);
}
void rebuild_any(ForestArena& a, const float* store, std::uint32_t tree, std::uint16_t inner) {
    if (a.layout.lanes == 8) return TreeOps<8>::rebuild_box(a, store, tree, inner);
    if (a.layout.lanes == 2) return TreeOps<2>::rebuild_box(a, store, tree, inner);
    TreeOps<1>::rebuild_box(a, store, tree, inner);
}

}  // namespace
}  // namespace tidemill::anomaly

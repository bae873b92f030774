#include <algorithm>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/operators_anomaly/forest_inspector.h"

using namespace tidemill;
using namespace tidemill::anomaly;

namespace {

/// One tree beside the plain list of what is in it.
struct Twin {
    Twin(const ForestKernel& hot, std::uint32_t dims, std::uint32_t sample, std::uint64_t seed)
        : kernel(hot), arena(1, sample, dims), store(dims), random(seed) {}

    void insert(std::vector<float> point) {
        point.resize(arena.dims + kOverread);
        const auto placed = kernel.insert(arena, store.data(), 0, point.data(), kUnknownLeaf, random);
        if (placed.is_new) {
            const auto slot = store.add(point.data(), 0);
            store.hold(slot);
            arena.leaves[placed.leaf].point = slot;
        }
        point.resize(arena.dims);
        held.push_back({placed.leaf, point});
    }
    void remove(std::size_t which) {
        const auto leaf = held[which].leaf;
        const auto slot = arena.leaves[leaf].point;
        if (kernel.remove(arena, store.data(), 0, leaf)) store.release(slot);
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
    }

    struct Held {
        std::uint16_t leaf;
        std::vector<float> point;
    };
    const ForestKernel& kernel;
    ForestArena arena;
    PointStore store;
    Random random;
    std::vector<Held> held;
};

float maximum(const ForestArena& a, std::uint32_t node, std::uint32_t d) {
    return a.box(node)[d / a.layout.lanes * 2 * a.layout.lanes + d % a.layout.lanes];
}
float minimum(const ForestArena& a, std::uint32_t node, std::uint32_t d) {
    return -a.box(
        node)[d / a.layout.lanes * 2 * a.layout.lanes + a.layout.lanes + d % a.layout.lanes];
}

/// What is below a node, by walking it; checks links, masses, cuts and boxes on the way. Returns
/// the leaves.
std::vector<std::uint32_t> walk(const Twin& twin, std::uint32_t node, std::uint16_t parent) {
    const auto& a = twin.arena;
    if (node & kLeafBit) {
        const auto& leaf = a.leaves[node & kSlotMask];
        REQUIRE(leaf.parent == parent);
        const auto copies = std::ranges::count(twin.held, node & kSlotMask, &Twin::Held::leaf);
        REQUIRE(leaf.mass == copies);
        return {node & kSlotMask};
    }
    REQUIRE(a.ups[node].parent == parent);
    const Node n = a.nodes[node];
    auto left = walk(twin, n.left(), static_cast<std::uint16_t>(node));
    const auto right = walk(twin, n.right(), static_cast<std::uint16_t>(node));
    for (const auto leaf : left)
        REQUIRE(twin.store.point(a.leaves[leaf].point)[n.dimension()] <= n.cut);
    for (const auto leaf : right)
        REQUIRE(twin.store.point(a.leaves[leaf].point)[n.dimension()] > n.cut);
    left.insert(left.end(), right.begin(), right.end());
    unsigned mass = 0;
    for (const auto leaf : left)
        mass += a.leaves[leaf].mass;
    REQUIRE(a.ups[node].mass == mass);
    double range = 0;
    for (std::uint32_t d = 0; d < a.dims; ++d) {
        float low = kLargest, high = -kLargest;
        for (const auto leaf : left) {
            low = std::min(low, twin.store.point(a.leaves[leaf].point)[d]);
            high = std::max(high, twin.store.point(a.leaves[leaf].point)[d]);
        }
        REQUIRE(maximum(a, node, d) == high);
        REQUIRE(minimum(a, node, d) == low);
        range += double{high} - double{low};
    }
    REQUIRE(double{a.ups[node].range} == doctest::Approx(range).epsilon(1e-5));
    return left;
}

void check(const Twin& twin) {
    REQUIRE(twin.arena.mass[0] == twin.held.size());
    if (twin.held.empty()) {
        REQUIRE(twin.arena.root[0] == kNone);
        return;
    }
    const auto leaves = walk(twin, twin.arena.root[0], kNone);
    for (const auto& held : twin.held) {
        REQUIRE(std::ranges::find(leaves, held.leaf) != leaves.end());
        const float* point = twin.store.point(twin.arena.leaves[held.leaf].point);
        REQUIRE(std::equal(held.point.begin(), held.point.end(), point));
    }
}

/// The tree as text: cuts and points in preorder, names of nodes left out.
std::string shape(const Twin& twin, std::uint32_t node) {
    const auto& a = twin.arena;
    if (node == kNone) return "-";
    if (node & kLeafBit) {
        const auto& leaf = a.leaves[node & kSlotMask];
        std::string text = "[" + std::to_string(leaf.mass);
        for (std::uint32_t d = 0; d < a.dims; ++d)
            text += " " + std::to_string(twin.store.point(leaf.point)[d]);
        return text + "]";
    }
    const Node n = a.nodes[node];
    std::string text = "(" + std::to_string(n.dimension()) + ":" + std::to_string(n.cut);
    for (std::uint32_t d = 0; d < a.dims; ++d)
        text +=
            " " + std::to_string(minimum(a, node, d)) + ".." + std::to_string(maximum(a, node, d));
    return text + " " + shape(twin, n.left()) + shape(twin, n.right()) + ")";
}

}  // namespace

TEST_SUITE("anomaly/tree") {
    TEST_CASE("boxes, masses, cuts and links stay exact under inserts and deletions") {
        const std::uint64_t seed = 20261122;
        CAPTURE(seed);
        for (const auto* kernel : available_kernels())
            for (const std::uint32_t dims : {1U, 2U, 3U, 8U, 9U, 32U})
                for (const bool on_grid : {false, true}) {
                    CAPTURE(kernel->name);
                    CAPTURE(dims);
                    Twin twin(*kernel, dims, 60, seed);
                    Random random(seed + dims);
                    for (int i = 0; i < 400; ++i) {
                        const bool is_full = twin.held.size() == 60;
                        if (is_full || (!twin.held.empty() && random.chance(0.4))) {
                            twin.remove(random.below(twin.held.size()));
                        } else {
                            std::vector<float> point(dims);
                            for (auto& x : point)
                                x = on_grid ? static_cast<float>(random.below(3))
                                            : static_cast<float>(gaussian(random));
                            twin.insert(point);
                        }
                        if (i % 5 == 0 || twin.held.size() < 4) check(twin);
                    }
                    while (!twin.held.empty())
                        twin.remove(random.below(twin.held.size()));
                    check(twin);
                }
    }

    TEST_CASE("a deletion leaves exactly the tree that never saw the point") {
        Twin twin(best_kernel(), 3, 60, 5);
        Random random(6);
        const auto point = [&] {
            std::vector<float> p(3);
            for (auto& x : p)
                x = static_cast<float>(gaussian(random));
            return p;
        };
        for (int i = 0; i < 40; ++i)
            twin.insert(point());
        for (int i = 0; i < 200; ++i) {
            const auto before = shape(twin, twin.arena.root[0]);
            twin.insert(point());
            REQUIRE(shape(twin, twin.arena.root[0]) != before);
            twin.remove(twin.held.size() - 1);
            REQUIRE(shape(twin, twin.arena.root[0]) == before);
        }
    }

    TEST_CASE(
        "cuts choose a dimension by its side and a place evenly, in whatever order points come") {
        // Box of all points: 3 x 1. The root's cut falls on dimension 0 with chance 3/4, at 1.5 in
        // the mean, and lies left of x = 1 with chance 1/3 of that.
        std::vector<std::vector<float>> points{{0, 0}, {3, 1}, {1, 0.5F}, {2, 0.25F}};
        for (const bool with_deletion : {false, true})
            for (const bool is_reversed : {false, true}) {
                const int trials = 20000;
                int along_0 = 0, below_1 = 0;
                double sum = 0;
                for (int i = 0; i < trials; ++i) {
                    Twin twin(best_kernel(), 2, 10, static_cast<std::uint64_t>(i) + 77);
                    if (with_deletion) twin.insert({9, -4});
                    for (std::size_t k = 0; k < points.size(); ++k)
                        twin.insert(points[is_reversed ? points.size() - 1 - k : k]);
                    if (with_deletion) twin.remove(0);
                    const Node root = twin.arena.nodes[twin.arena.root[0]];
                    if (root.dimension() != 0) continue;
                    ++along_0;
                    sum += double{root.cut};
                    if (root.cut < 1) ++below_1;
                }
                CAPTURE(with_deletion);
                CAPTURE(is_reversed);
                // Four standard deviations.
                CHECK(std::abs(along_0 / double{trials} - 0.75) < 4 * std::sqrt(0.1875 / trials));
                CHECK(std::abs(sum / along_0 - 1.5) < 4 * std::sqrt(0.75 / along_0));
                CHECK(std::abs(below_1 / double(along_0) - 1 / 3.0) <
                      4 * std::sqrt(2 / 9.0 / along_0));
            }
    }

    TEST_CASE("neighbouring floats can be cut apart") {
        for (const float base : {1.0F, -1.0F, 1e-38F, 16777216.0F, -3e33F}) {
            CAPTURE(base);
            Twin twin(best_kernel(), 1, 10, 3);
            float x = base;
            for (int i = 0; i < 8; ++i) {
                twin.insert({x});
                x = std::nextafter(x, kLargest);
            }
            check(twin);
        }
    }
}

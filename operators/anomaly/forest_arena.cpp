#include "operators/anomaly/forest_arena.h"

#include <algorithm>

namespace tidemill::anomaly {

ForestArena::ForestArena(std::uint32_t tree_count, std::uint32_t sample_size,
                         std::uint32_t dimensions)
    : trees(tree_count),
      sample(sample_size),
      dims(dimensions),
      layout(box_layout(dimensions)),
      nodes(std::size_t{trees} * sample),
      ups(std::size_t{trees} * sample),
      leaves(std::size_t{trees} * sample),
      boxes(std::size_t{trees} * sample * layout.floats),
      root(trees),
      mass(trees),
      inner_used(trees),
      inner_free(trees),
      leaf_used(trees),
      leaf_free(trees) {
    for (std::uint32_t tree = 0; tree < trees; ++tree) {
        root[tree] = inner_free[tree] = leaf_free[tree] = kNone;
        mass[tree] = inner_used[tree] = leaf_used[tree] = 0;
    }
}

std::uint16_t ForestArena::new_inner(std::uint32_t tree) {
    const auto slot = inner_free[tree];
    if (slot == kNone) return inner_used[tree]++;
    inner_free[tree] = ups[base(tree) + slot].parent;
    return slot;
}

std::uint16_t ForestArena::new_leaf(std::uint32_t tree) {
    const auto slot = leaf_free[tree];
    if (slot == kNone) return leaf_used[tree]++;
    leaf_free[tree] = leaves[base(tree) + slot].parent;
    return slot;
}

void ForestArena::free_inner(std::uint32_t tree, std::uint32_t slot) {
    ups[base(tree) + slot].parent = inner_free[tree];
    inner_free[tree] = static_cast<std::uint16_t>(slot);
}

void ForestArena::free_leaf(std::uint32_t tree, std::uint32_t slot) {
    leaves[base(tree) + slot].parent = leaf_free[tree];
    leaf_free[tree] = static_cast<std::uint16_t>(slot);
}

}  // namespace tidemill::anomaly

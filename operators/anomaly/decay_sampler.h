#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/random.h"
#include "operators/anomaly/aligned_array.h"

namespace tidemill::anomaly {

/// For each tree a weighted reservoir of `sample` points whose chance to stay falls by
/// exp(-1/time_decay) a point: point i has the priority E_i * exp(-i/time_decay), E_i exponential,
/// and the smallest priorities are kept. Instead of a draw a point the index of each tree's next
/// accepted point is drawn, so a tree that does not accept costs one comparison. Source: Efraimidis
/// and Spirakis, "Weighted random sampling with a reservoir", 2006 (A-ExpJ), with time as weight.
class DecaySampler {
 public:
    DecaySampler(std::uint32_t trees, std::uint32_t sample, std::uint32_t time_decay,
                 std::uint64_t seed);

    /// The next point that `tree` accepts; every point while it has less than `sample`.
    std::uint64_t next(std::uint32_t tree) const { return trees_[tree].next; }
    bool is_full(std::uint32_t tree) const { return trees_[tree].size == sample_; }
    /// The leaf of the entry that the next accepted point replaces. Only when full.
    std::uint16_t evicted_leaf(std::uint32_t tree) const { return entry_leaf_[base(tree)]; }
    /// Accepts point number next(tree), which is in leaf `leaf`, in place of the evicted one if
    /// full.
    void accept(std::uint32_t tree, std::uint16_t leaf);
    Random& random(std::uint32_t tree) { return trees_[tree].random; }

 private:
    friend class ForestSnapshot;
    struct Tree {
        Random random{0};
        std::uint64_t next = 0;
        std::uint64_t origin =
            0;  ///< priorities are relative to this point, so that a float orders them
        std::uint32_t size = 0;
    };
    std::size_t base(std::uint32_t tree) const { return std::size_t{tree} * sample_; }
    void sift_up(float* weights, std::uint16_t* leaves, std::uint32_t at);
    void sift_down(float* weights, std::uint16_t* leaves, std::uint32_t size);
    void rebase(std::uint32_t tree, double growth);

    std::uint32_t sample_;
    double lambda_;
    double growth_;  ///< exp(lambda) - 1
    std::vector<Tree> trees_;
    AlignedArray<float> weight_;  ///< a max-heap a tree
    AlignedArray<std::uint16_t> entry_leaf_;
};

}  // namespace tidemill::anomaly

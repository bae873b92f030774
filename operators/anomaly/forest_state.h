#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/anomaly/decay_sampler.h"
#include "operators/anomaly/forest_arena.h"
#include "operators/anomaly/forest_kernel.h"
#include "operators/anomaly/point_store.h"
#include "operators/anomaly/random_cut_forest.h"

namespace tidemill::anomaly {

/// What a forest is, and the order in which its parts work.
struct RandomCutForest::Impl {
    explicit Impl(const ForestConfig& forest_config);

    /// Scores of records given row after row; NaN for those that are not finite.
    void process(std::span<const double> records, std::span<double> scores);
    /// The same for one record, and the columns' shares of its score.
    /// Score of a record that is not learnt.
    double score(std::span<const double> record);
    double process_one(std::span<const double> record, std::span<ColumnAttribution> shares);

    ForestConfig config;
    std::uint32_t dims;
    SeenRule rule;
    std::uint32_t warm_up;  ///< points before the first score
    const ForestKernel* kernel;

    ForestArena arena;
    PointStore store;
    DecaySampler sampler;
    std::vector<double> origin;  ///< first value of each column: taken off before the cast to float
    std::uint64_t records = 0;   ///< learnt
    std::uint64_t points = 0;    ///< full shingles offered to the trees
    /// The last shingle - 1 records, then those of the batch at work: a point is a window of this.
    std::vector<float> recent;
    std::size_t recent_records = 0;
    bool only_learns = false;       ///< `process` scores nothing
    std::vector<float> last_point;  ///< of the last `process_one`, if it was scored

 private:
    static constexpr std::size_t kBatch = 256;
    static constexpr std::uint32_t kNoSlot = 0xffffffff;

    bool append(const double* record);
    void process_points(std::size_t count, double* sums);
    void process_group(std::uint32_t first_tree, std::uint32_t last_tree, std::size_t count,
                       std::size_t first_scored, double* sums);
    void accept(std::uint32_t tree, std::size_t point, std::uint32_t known_leaf);
    /// The shares, unscaled, of the items just scored, which are those of one point.
    void share_items();
    double factor(std::uint64_t point) const;

    ScoreItems items_;
    std::span<ColumnAttribution> shares_;  ///< of the record at work; empty when nobody asks
    std::vector<float> lane_sums_;
    std::vector<std::uint32_t> seen_items_;
    std::vector<float> cells_;
    std::vector<std::uint32_t> batch_slot_, leaf_of_last_;
    std::vector<std::size_t> cursor_, run_end_;
};

}  // namespace tidemill::anomaly

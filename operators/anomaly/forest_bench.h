#pragma once

#include <cstdint>
#include <string_view>

#include "operators/anomaly/random_cut_forest.h"

namespace tidemill::anomaly {

struct ForestBenchResult {
    double points_per_second = 0;  ///< by the wall clock
    double points_per_cpu_second =
        0;                     ///< by this thread's processor time: the rate on a core of its own
    std::uint64_t points = 0;  ///< timed
    std::uint64_t warm_up_points = 0;  ///< learnt before, not timed
    double mean_score = 0;
    std::size_t memory_bytes = 0;
    std::size_t snapshot_bytes = 0;
    std::string_view kernel;
};

/// Scores and learns `points` records of Gaussian noise on one thread, in batches of `batch`
/// records, after as many warm-up records as fill the sample well (25,000). Leaves out: decoding,
/// SQL, several keys. `attribution`: with each record's column shares, one record at a time.
ForestBenchResult run_forest_bench(const ForestConfig& config, std::uint64_t points,
                                   std::uint32_t batch = 256, bool attribution = false);

}  // namespace tidemill::anomaly

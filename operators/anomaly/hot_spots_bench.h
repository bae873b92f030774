#pragma once

#include <cstdint>

#include "operators/anomaly/hot_spots.h"

namespace tidemill::anomaly {

struct HotSpotsBenchResult {
    double records_per_second = 0;      ///< state and text of each record, by the wall clock
    double records_per_cpu_second = 0;  ///< the same by this thread's processor time
    double state_per_cpu_second = 0;    ///< without the text
    std::uint64_t records = 0;          ///< timed, each way
    double mean_hot_spots = 0;
    double mean_text_bytes = 0;
};

/// Runs a detector over records as the retired service's example makes them: four fifths spread
/// evenly over a cube of side 10, a fifth in a cube of side 1 that jumps every 10,000 records. The
/// window is full before the clock starts. One thread. Leaves out: decoding, SQL.
HotSpotsBenchResult run_hot_spots_bench(const HotSpotConfig& config, std::uint64_t records,
                                        std::uint64_t seed);

}  // namespace tidemill::anomaly

#pragma once

#include <cmath>
#include <vector>

#include "engine/base/random.h"
#include "operators/anomaly/forest_state.h"

namespace tidemill::anomaly {

/// The tests' way into a forest.
struct ForestInspector {
    using Impl = RandomCutForest::Impl;
    static Impl& impl(RandomCutForest& forest) { return *forest.impl_; }
};

inline double gaussian(Random& random) {
    return std::sqrt(-2 * std::log(1 - random.unit())) *
           std::cos(6.283185307179586 * random.unit());
}

/// Rows of `columns` values: noise on a wave, now and then a spike.
inline std::vector<double> wavy_rows(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    Random random(seed);
    std::vector<double> values;
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t c = 0; c < columns; ++c)
            values.push_back(std::sin(0.1 * static_cast<double>(i * (c + 1))) +
                             0.1 * gaussian(random) + (random.chance(0.002) ? 5 : 0));
    return values;
}

inline std::vector<double> scores_of(RandomCutForest& forest, const std::vector<double>& values) {
    std::vector<double> scores(values.size() / forest.config().columns);
    forest.process(values, scores);
    return scores;
}

}  // namespace tidemill::anomaly

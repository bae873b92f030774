#pragma once

#include <cmath>
#include <cstdint>

#include "operators/expr/aggregate.h"

namespace tidemill::sql {

/// Count, mean and sum of squared distances from it, kept without cancellation; rows can also be
/// taken out again. Source: Welford, "Note on a method for calculating corrected sums of squares
/// and products", 1962.
struct Moments {
    std::int64_t count = 0;
    double mean = 0, squares = 0;

    void add(double x) {
        ++count;
        const double delta = x - mean;
        mean += delta / static_cast<double>(count);
        squares += delta * (x - mean);
    }
    void remove(double x) {
        if (--count == 0) {
            mean = squares = 0;
            return;
        }
        const double delta = x - mean;
        mean -= delta / static_cast<double>(count);
        squares -= delta * (x - mean);
        if (squares < 0) squares = 0;
    }
    /// Whether the aggregate has a value, and which.
    bool result(AggregateKind kind, double& value) const {
        const bool is_sample = kind == AggregateKind::VarSamp || kind == AggregateKind::StddevSamp;
        if (count < (is_sample ? 2 : 1)) return false;
        if (kind == AggregateKind::Avg) return value = mean, true;
        value = squares / static_cast<double>(is_sample ? count - 1 : count);
        if (kind == AggregateKind::StddevPop || kind == AggregateKind::StddevSamp)
            value = std::sqrt(value);
        return true;
    }
};

}  // namespace tidemill::sql

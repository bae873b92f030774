#pragma once

#include <span>
#include <vector>

#include "operators/anomaly/forest_state.h"

namespace tidemill::anomaly {

/// What a forest says of a point without learning it: one point at a time, in plain code.
class ForestQueries {
    using Impl = RandomCutForest::Impl;

 public:
    explicit ForestQueries(const Impl& forest) : forest_(forest) {}

    /// The point that `record` would make with the records before it; false if the forest does not
    /// answer yet.
    bool set_record(std::span<const double> record);
    /// The point itself, as `point` gave it.
    void set_point(std::span<const float> values) { point_.assign(values.begin(), values.end()); }
    std::span<const float> point() const { return point_; }

    /// Values of the marked columns of the record, those of the others ignored: in each tree the
    /// leaves that the known coordinates lead to (both ways where a cut is in an unknown one), of
    /// those the nearest; over trees the nearer half; the median of their values.
    std::vector<double> expected(std::span<const bool> is_missing);
    std::vector<Neighbour> neighbours(double radius);

 private:
    struct Candidate {
        double distance;
        std::uint32_t slot;  ///< in the point store
    };
    void find_candidates(std::uint32_t tree, std::span<const bool> is_missing,
                         std::vector<Candidate>& to) const;

    const Impl& forest_;
    std::vector<float> point_;
};

}  // namespace tidemill::anomaly

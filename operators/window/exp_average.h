#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"

namespace tidemill::sql {

/// EXP_AVG over a sliding window: values that lie n whole half-lives before the latest row count
/// 2^-n. A value changes its weight once for each half-life that the window holds, so a row costs
/// about their number. Source: AWS, "EXP_AVG".
class ExpAverage {
 public:
    explicit ExpAverage(std::int64_t half_life) : half_life_(half_life) {}

    void add(std::int64_t time, double value);
    /// Time goes on without a value.
    void age(std::int64_t time);
    /// The oldest value leaves.
    void evict_first();
    bool is_empty() const { return count_ == 0; }
    double result() const;

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    struct Value {
        std::int64_t time;
        double value;
    };
    /// Values of the same weight, oldest first.
    struct Interval {
        std::deque<Value> values;
        double sum = 0, lost = 0;  // compensated
        void change(double by);
    };
    void move_first(std::size_t from);

    std::int64_t half_life_;
    std::vector<Interval> intervals_;  // by whole half-lives
    std::size_t count_ = 0;
};

}  // namespace tidemill::sql

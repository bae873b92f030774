#pragma once

#include <cstdint>

namespace tidemill::anomaly {

/// Turns scores into grades: 0 for what is usual here, up to 1 for what certainly is not. The
/// threshold follows the scores' mean and spread, both fading at the rate of the forest, and is
/// never below 0.8. O(1) a score.
/// Source: the thresholder of AWS's random-cut-forest library (BasicThresholder), as its source
/// describes it; without that library's later corrections by expected values.
class AnomalyGrade {
 public:
    /// `time_decay`: scores that are remembered, about; `shingle`: records a point spans.
    AnomalyGrade(double time_decay, std::uint32_t shingle);

    /// Grade of the next score; scores of 0 say that the forest is still learning and do not count.
    double next(double score);

    struct State {
        double weight = 0, mean = 0, square = 0;    ///< of scores
        double below_weight = 0, below_square = 0;  ///< of how far scores fall short of it
        double change_weight = 0, change_mean = 0, change_square = 0;  ///< from score to score
        double last = 0;
        std::uint64_t scores = 0;
        std::uint32_t since_anomaly = 0xffffffff;  ///< records since the last one
        double anomaly_score = 0;                  ///< of that
        bool operator==(const State&) const = default;
    };
    const State& state() const { return state_; }
    void set_state(const State& state) { state_ = state; }

 private:
    double grade(double score) const;
    void learn(double score);

    double discount_;
    std::uint32_t shingle_;
    State state_;
};

}  // namespace tidemill::anomaly

#include "operators/anomaly/anomaly_grade.h"

#include <algorithm>
#include <cmath>

namespace tidemill::anomaly {

namespace {

constexpr double kZ = 3;                             ///< deviations that make an anomaly
constexpr double kFloor = 0.8;                       ///< no threshold is lower
constexpr double kFirstThreshold = 1.5;              ///< while few scores are known
constexpr std::uint64_t kFewest = 10, kEnough = 20;  ///< scores; between them the two are mixed
constexpr double kLargestCounted = 2;  ///< of a score, so that one does not spoil the mean
constexpr double kAnomalyRate = 0.01;
constexpr double kHorizon = 0.5;
constexpr double kSameAnomaly = 0.3;  ///< of its score, by which another has to be higher

double deviation(double weight, double mean, double square) {
    return weight > 0 ? std::sqrt(std::max(0.0, square / weight - mean * mean)) : 0;
}

}  // namespace

AnomalyGrade::AnomalyGrade(double time_decay, std::uint32_t shingle)
    : discount_(1 / time_decay), shingle_(shingle) {}

double AnomalyGrade::next(double score) {
    if (!(score > 0)) return 0;
    double made = grade(score);
    if (made > 0) {
        // Points overlap: the records after an anomaly carry it along.
        const bool is_carried =
            state_.since_anomaly < shingle_ && score < (1 + kSameAnomaly) * state_.anomaly_score;
        if (is_carried)
            made = 0;
        else
            state_.since_anomaly = 0, state_.anomaly_score = score;
    }
    if (state_.since_anomaly < 0xffffffff) ++state_.since_anomaly;
    learn(score);
    return made;
}

double AnomalyGrade::grade(double score) const {
    if (state_.scores < kFewest) return 0;
    const double mean = state_.mean;
    const double spread = deviation(state_.weight, mean, state_.square);
    const double below =
        std::sqrt(2.0) *
        (state_.below_weight > 0 ? std::sqrt(state_.below_square / state_.below_weight) : 0);
    const double change = deviation(state_.change_weight, state_.change_mean, state_.change_square);
    const double width = shingle_ == 1 ? std::min(below, spread)
                                       : kHorizon * std::min(spread, std::max(change, below)) +
                                             (1 - kHorizon) * change;
    const double reach = (kZ - 1) * width + spread;
    double threshold = std::max(kFloor, mean + reach);
    if (state_.scores < kEnough) {
        const double known =
            static_cast<double>(state_.scores - kFewest) / static_cast<double>(kEnough - kFewest);
        threshold = known * threshold + (1 - known) * std::max(kFirstThreshold, threshold);
    }
    if (score < threshold || reach <= 0) return 0;
    const double over = std::min(kZ, (score - threshold) / (reach / kZ)) / kZ;
    return std::min(std::floor(20 * over) / 16, 1.0);
}

void AnomalyGrade::learn(double score) {
    const double counted = std::min(score, kLargestCounted);
    const auto fade = [](double& weight, double rate) {
        weight = weight * (1 - rate) + 1;
        return 1 / weight;
    };
    // Means by their weights; squares as sums that fade alike.
    const double part = fade(state_.weight, discount_);
    state_.square = state_.square * (1 - discount_) + counted * counted;
    const double short_by = std::max(0.0, state_.mean - counted);
    state_.mean += (counted - state_.mean) * part;
    if (short_by > 0) {
        fade(state_.below_weight, discount_ / 2);
        state_.below_square = state_.below_square * (1 - discount_ / 2) + short_by * short_by;
    }
    if (state_.scores > 0) {
        const double change = counted - state_.last;
        const double share = fade(state_.change_weight, kAnomalyRate);
        state_.change_square = state_.change_square * (1 - kAnomalyRate) + change * change;
        state_.change_mean += (change - state_.change_mean) * share;
    }
    state_.last = counted;
    ++state_.scores;
}

}  // namespace tidemill::anomaly

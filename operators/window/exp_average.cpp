#include "operators/window/exp_average.h"

#include <algorithm>
#include <cmath>

namespace tidemill::sql {

namespace {

/// Older values weigh less than a double can tell.
constexpr std::size_t kMostIntervals = 64;

}  // namespace

// Source: Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974.
void ExpAverage::Interval::change(double by) {
    if (values.empty()) {
        sum = lost = 0;
        return;
    }
    const double total = sum + by;
    lost += std::fabs(sum) >= std::fabs(by) ? (sum - total) + by : (by - total) + sum;
    sum = total;
}

void ExpAverage::move_first(std::size_t from) {
    if (from + 1 == intervals_.size()) intervals_.emplace_back();
    auto &here = intervals_[from], &there = intervals_[from + 1];
    const auto value = here.values.front();
    here.values.pop_front();
    here.change(-value.value);
    there.values.push_back(value);
    there.change(value.value);
}

void ExpAverage::age(std::int64_t time) {
    for (std::size_t n = 0; n < intervals_.size() && n + 1 < kMostIntervals; ++n)
        while (!intervals_[n].values.empty() && time - intervals_[n].values.front().time >=
                                                    static_cast<std::int64_t>(n + 1) * half_life_)
            move_first(n);
}

void ExpAverage::add(std::int64_t time, double value) {
    age(time);
    if (intervals_.empty()) intervals_.emplace_back();
    intervals_[0].values.push_back({time, value});
    intervals_[0].change(value);
    ++count_;
}

void ExpAverage::evict_first() {
    while (!intervals_.empty() && intervals_.back().values.empty())
        intervals_.pop_back();
    if (intervals_.empty()) return;
    auto& oldest = intervals_.back();
    const auto value = oldest.values.front();
    oldest.values.pop_front();
    oldest.change(-value.value);
    --count_;
}

double ExpAverage::result() const {
    double sum = 0, weights = 0, weight = 1;
    for (const auto& interval : intervals_) {
        sum += weight * (interval.sum + interval.lost);
        weights += weight * static_cast<double>(interval.values.size());
        weight /= 2;
    }
    return sum / weights;
}

void ExpAverage::save(StateWriter& to) const {
    to.put_count(intervals_.size());
    for (const auto& interval : intervals_) {
        to.put_double(interval.sum);
        to.put_double(interval.lost);
        to.put_count(interval.values.size());
        for (const auto& value : interval.values) {
            to.put_int(value.time);
            to.put_double(value.value);
        }
    }
}

void ExpAverage::load(StateReader& from) {
    intervals_.resize(from.take_size(3));
    count_ = 0;
    if (intervals_.size() > kMostIntervals) return from.fail();
    for (auto& interval : intervals_) {
        interval.sum = from.take_double();
        interval.lost = from.take_double();
        interval.values.resize(from.take_size(2));
        for (auto& value : interval.values) {
            value.time = from.take_int();
            value.value = from.take_double();
        }
        count_ += interval.values.size();
    }
}

}  // namespace tidemill::sql

#include "operators/exec/state_budget.h"

namespace tidemill::sql {

std::vector<std::uint32_t> StateBudget::unexpired(std::int64_t now) {
    last_sweep_ = now;
    std::vector<std::uint32_t> kept;
    for (std::uint32_t group = 0; group < last_.size(); ++group)
        if (!has_expired(group, now)) kept.push_back(group);
    return kept;
}

std::vector<std::uint32_t> StateBudget::after_making_room(std::int64_t now) {
    std::vector<std::uint32_t> kept;
    if (has_ttl() && now - last_sweep_ > limits_.ttl_millis / 16) {
        kept = unexpired(now);
        if (kept.size() < last_.size()) return kept;
    }
    const auto count = last_.size();
    if (limits_.evicts && count > 0) {
        // Of equally old ones those go that came first.
        std::vector<std::uint32_t> by_age(count);
        for (std::uint32_t group = 0; group < count; ++group)
            by_age[group] = group;
        const auto leaving =
            by_age.begin() + static_cast<std::ptrdiff_t>(std::max(std::size_t{1}, count / 8));
        std::ranges::nth_element(by_age, leaving, [&](std::uint32_t a, std::uint32_t b) {
            return last_[a] != last_[b] ? last_[a] < last_[b] : a < b;
        });
        kept.assign(leaving, by_age.end());
        std::ranges::sort(kept);
        return kept;
    }
    kept.resize(count);
    for (std::uint32_t group = 0; group < count; ++group)
        kept[group] = group;
    return kept;
}

void StateBudget::keep(std::span<const std::uint32_t> groups) {
    for (std::size_t i = 0; i < groups.size(); ++i)
        last_[i] = last_[groups[i]];
    last_.resize(groups.size());
}

void StateBudget::snapshot(StateWriter& to) const {
    to.put_int(last_sweep_);
    for (const auto time : last_)
        to.put_int(time);
}

void StateBudget::restore(StateReader& from, std::size_t groups) {
    // Differences of times must not overflow.
    const auto take_time = [&] {
        const auto time = from.take_int();
        if (time != kNever && (time < INT64_MIN / 2 || time > INT64_MAX / 2)) from.fail();
        return from.has_failed() ? 0 : time;
    };
    last_sweep_ = take_time();
    last_.clear();
    last_.reserve(groups);
    for (std::size_t group = 0; group < groups && !from.has_failed(); ++group)
        last_.push_back(take_time());
    last_.resize(groups, kNever);
}

}  // namespace tidemill::sql

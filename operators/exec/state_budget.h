#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "operators/plan/state_limits.h"
#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"

namespace tidemill::sql {

/// When groups were last seen, and which of them have to go: for operators whose groups never end
/// by themselves. Time is ROWTIME. A group that has expired counts as gone at once; its memory is
/// taken back by sweeps, which a stretch of time pays for (a sixteenth of the time to live).
class StateBudget {
 public:
    static constexpr std::int64_t kNever = INT64_MIN;

    explicit StateBudget(const StateLimits& limits) : limits_(limits) {}

    std::size_t groups() const { return last_.size(); }
    void resize(std::size_t groups) { last_.resize(groups, kNever); }
    std::int64_t last(std::size_t group) const { return last_[group]; }
    void touch(std::size_t group, std::int64_t time) { last_[group] = time; }
    bool has_ttl() const { return limits_.ttl_millis > 0; }
    bool has_expired(std::size_t group, std::int64_t now) const {
        return has_ttl() && last_[group] != kNever && now - last_[group] > limits_.ttl_millis;
    }
    /// Whether so many rows may be kept.
    bool allows(std::size_t rows) const { return rows <= limits_.rows; }
    /// Whether a sweep is due, without need.
    bool is_sweep_due(std::int64_t now) const {
        return has_ttl() && !last_.empty() && now - last_sweep_ >= limits_.ttl_millis / 2 &&
               now != last_sweep_;
    }

    /// The groups that stay, ascending, when the expired ones go.
    std::vector<std::uint32_t> unexpired(std::int64_t now);
    /// What stays if room has to be made: without the expired groups, and if none has expired and
    /// the limits say so without the oldest eighth. As many as there are: nothing can be done.
    std::vector<std::uint32_t> after_making_room(std::int64_t now);
    /// Group i becomes what `groups[i]` is; the others are forgotten.
    void keep(std::span<const std::uint32_t> groups);
    void clear() { last_.clear(); }

    void snapshot(StateWriter& to) const;
    void restore(StateReader& from, std::size_t groups);

    const StateLimits& limits() const { return limits_; }

 private:
    StateLimits limits_;
    std::vector<std::int64_t> last_;  // ROWTIME of each group's latest row
    std::int64_t last_sweep_ = INT64_MIN / 2;
};

}  // namespace tidemill::sql

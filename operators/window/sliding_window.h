#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "operators/window/sliding_state.h"

namespace tidemill::sql {

/// The rows of one partition that a sliding window holds, and the aggregates over them. Only what
/// eviction needs is kept of a row: its time and the slots of the arguments.
class SlidingWindow {
 public:
    SlidingWindow(const std::vector<AggregateCall>& calls, std::size_t argument_count);

    /// Lets in a row; before that lets out rows earlier than `horizon` (RANGE) or beyond `max_rows`
    /// - 1 (ROWS).
    void add(std::span<const Column* const> arguments, std::size_t row, std::int64_t time,
             std::int64_t horizon, std::uint64_t max_rows);
    void append_results(std::span<Column> to) const;
    std::size_t size() const { return rows_.size(); }

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    struct Row {
        std::int64_t time;
        std::vector<std::int64_t> bits;  // of each argument
        std::uint64_t nulls;             // bit of each argument
    };
    void evict_first();

    const std::vector<AggregateCall>& calls_;
    std::size_t argument_count_;
    std::vector<SlidingState> states_;
    std::deque<Row> rows_;
    std::uint64_t next_sequence_ =
        0;  // of the next row; the first one held is next_sequence_ - rows_.size()
};

/// Arguments that one window may have.
inline constexpr std::size_t kMaxWindowArguments = 64;

}  // namespace tidemill::sql

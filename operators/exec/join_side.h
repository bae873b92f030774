#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "operators/plan/plan.h"
#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"

namespace tidemill::sql {

/// A row of one side of a join, by its number in order of arrival.
using JoinRow = std::uint64_t;
inline constexpr JoinRow kNoJoinRow = UINT64_MAX;

/// Up to kBatchRows rows of a side, with what the join knows of each.
struct JoinChunk {
    enum Match : std::uint8_t { None, Possible, Certain };

    RowBatch rows;
    std::vector<Column> keys;
    std::vector<std::uint64_t> hashes;  ///< of the keys; kNoKey where one is null
    std::vector<JoinRow> older;         ///< the row before it with the same hash
    std::vector<Match> matches;

    static constexpr std::uint64_t kNoKey = 0;
};

/// One side of a join: rows that wait for their turn, then rows in the window, found by key, then
/// nothing. Everything is O(1) a row: rows leave in the order they came, and the lists that the
/// index holds end where the window begins.
class JoinSide {
 public:
    JoinSide(const Schema& rows, const std::vector<ExpressionPtr>& keys, JoinWindow window,
             bool keeps_unmatched);

    void append(const Batch& batch, const Selection& rows, std::span<const Column* const> keys);

    bool has_waiting() const { return next_ < end_; }
    JoinRow next() const { return next_; }
    std::int64_t time(JoinRow row) const {
        return chunk(row).rows.rowtime.int_at(row % kBatchRows);
    }
    /// Takes the row that waits longest into the window.
    void enter();

    /// Rows of the window that have the key of `row`, a row of `other`; oldest first.
    void find(const JoinSide& other, JoinRow row, std::vector<JoinRow>& found) const;

    bool is_window_empty() const { return front_ == next_; }
    /// Of the oldest row in the window; the last moment at which it can be met. RANGE only.
    std::int64_t deadline() const { return time(front_) + window_.length; }
    /// ROWS: the window has a row too many.
    bool is_overfull() const { return next_ - front_ > static_cast<std::uint64_t>(window_.length); }
    const JoinWindow& window() const { return window_; }
    bool keeps_unmatched() const { return keeps_unmatched_; }
    JoinRow front() const { return front_; }
    /// The oldest row leaves the window. Its values stay until `forget`.
    void leave() { ++front_; }
    /// Gives back the memory of rows that have left.
    void forget();

    const JoinChunk& chunk(JoinRow row) const { return *chunks_[(row - base_) / kBatchRows]; }
    JoinChunk::Match match(JoinRow row) const { return chunk(row).matches[row % kBatchRows]; }
    void set_match(JoinRow row, JoinChunk::Match match) {
        chunks_[(row - base_) / kBatchRows]->matches[row % kBatchRows] = match;
    }
    std::size_t columns() const { return types_.size(); }

    std::int64_t bound = INT64_MIN;

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    struct Slot {
        std::uint64_t hash = JoinChunk::kNoKey;
        JoinRow newest = 0;
    };

    JoinChunk& chunk_to_fill();
    void set_hashes(JoinChunk& chunk, std::size_t from);
    void index(JoinRow row);
    void rebuild_index();
    bool has_same_key(const JoinChunk& a, std::size_t i, const JoinChunk& b, std::size_t j) const;

    std::vector<Type> types_, key_types_;
    JoinWindow window_;
    bool keeps_unmatched_;
    std::deque<std::unique_ptr<JoinChunk>> chunks_;
    std::vector<std::unique_ptr<JoinChunk>> spare_;
    JoinRow base_ = 0;                        // first row of the first chunk
    JoinRow front_ = 0, next_ = 0, end_ = 0;  // window: [front, next); waiting: [next, end)
    std::vector<Slot> slots_;                 // a power of two
    std::size_t used_slots_ = 0;
};

}  // namespace tidemill::sql

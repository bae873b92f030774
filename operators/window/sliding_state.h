#pragma once

#include <deque>
#include <string>

#include "operators/expr/aggregate.h"
#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"
#include "operators/vector/column.h"
#include "operators/window/exp_average.h"
#include "operators/window/moments.h"

namespace tidemill::sql {

/// One aggregate over one sliding window: rows come in at one end and leave at the other, each at
/// constant cost. Sums, counts and moments subtract what leaves; MIN and MAX keep a monotone queue
/// of candidates. Source: Tangwongsan, Hirzel, Schneider, "Optimal and general out-of-order
/// sliding-window aggregation", 2019 (subtract-on-evict); Lemire, "Streaming maximum-minimum filter
/// using no more than three comparisons per element", 2006.
class SlidingState {
 public:
    explicit SlidingState(const AggregateCall& call) : call_(call), average_(call.offset) {}

    /// `sequence` numbers the rows of the window's partition, `time` is their ROWTIME; `argument`
    /// is null for COUNT(*).
    void add(const Column* argument, std::size_t row, std::uint64_t sequence, std::int64_t time);
    /// The row that was added with this sequence leaves; `bits` is the slot it had.
    void evict(bool is_null, std::int64_t bits, std::uint64_t sequence);
    void append_result(Column& to) const;

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    struct Candidate {
        std::uint64_t sequence;
        std::int64_t bits;
        std::string text;
        bool is_null = false;
    };
    bool is_extreme() const {
        return call_.kind == AggregateKind::Min || call_.kind == AggregateKind::Max;
    }
    bool adds_up() const {
        return call_.kind == AggregateKind::Sum || call_.kind == AggregateKind::Any ||
               call_.kind == AggregateKind::Every;
    }
    bool is_beaten(const Candidate& old, const Column& argument, std::size_t row) const;
    void add_number(double x, int sign);
    /// The row whose value FIRST_VALUE, LAST_VALUE, NTH_VALUE or LAG gives; null if there is none.
    const Candidate* row_of_value() const;

    AggregateCall call_;
    std::int64_t count_ = 0;     // values that are not null
    std::int64_t specials_ = 0;  // NaN and infinities among them: they cannot be subtracted
    __extension__ using wide = __int128;
    wide exact_ = 0;
    double sum_ = 0, lost_ = 0;  // compensated
    Moments moments_;
    ExpAverage average_;
    std::deque<Candidate> candidates_;  // of extremes; or all rows that count
    std::uint64_t last_sequence_ = 0;   // of the row added last
};

}  // namespace tidemill::sql

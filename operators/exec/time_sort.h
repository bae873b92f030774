#pragma once

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// ORDER BY time WITHIN interval: the last column of the input is a time, and becomes ROWTIME. Rows
/// wait until one has come whose time is later by the interval, then leave in the order of their
/// times; equal ones in the order in which they came. A row whose time is null is dropped; one that
/// comes later than the interval allows goes to the error stream. Bounds of the input mean nothing
/// here, but for its end.
class TimeSort final : public Operator {
 public:
    TimeSort(ExecContext& context, std::string pump, Schema input, std::int64_t millis,
             const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    struct Waiting {
        std::int64_t time;
        std::uint64_t sequence;
        std::uint32_t row;  ///< in rows_
    };
    void release(std::int64_t until);
    void compact();

    std::int64_t millis_;
    std::vector<Column> rows_;      // those that wait, and some that have left
    std::vector<Waiting> waiting_;  // a heap, earliest first
    std::uint64_t next_sequence_ = 0;
    std::int64_t released_ = kNoBound;  // all up to this time have left
    RowBatch out_;
};

}  // namespace tidemill::sql

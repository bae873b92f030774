#pragma once

#include "operators/exec/operator.h"
#include "operators/exec/reorder_buffer.h"
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
    void release();

    std::int64_t millis_;
    ReorderBuffer rows_;
    std::int64_t released_ = kNoBound;  // all up to this time leave
};

}  // namespace tidemill::sql

#pragma once

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"
#include "operators/window/sliding_window.h"

namespace tidemill::sql {

/// agg OVER (PARTITION BY keys RANGE | ROWS n PRECEDING): adds the aggregates' columns to each row,
/// at once. Both ends of a RANGE belong to the window; of rows with equal time the later sees the
/// earlier, not the other way.
class Slide final : public Operator {
 public:
    Slide(ExecContext& context, std::string pump, Schema input, SlideNode node);

 protected:
    void on_batch(const Batch& batch) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    SlideNode node_;
    GroupTable partitions_;
    std::deque<SlidingWindow> windows_;  // one a partition
    std::vector<std::uint32_t> partition_of_row_;
    std::vector<Column> results_, dense_;
    std::vector<RowIndex> settled_;
};

}  // namespace tidemill::sql

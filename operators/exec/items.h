#pragma once

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"
#include "operators/window/distinct_sketch.h"
#include "operators/window/item_counts.h"

namespace tidemill::sql {

/// TOP_K_ITEMS_TUMBLING and COUNT_DISTINCT_ITEMS_TUMBLING: windows of ROWTIME, as long as said and
/// in step with the epoch; results bear the window's end. Nulls are no items; a window without
/// items gives no row.
class Items final : public Operator {
 public:
    Items(ExecContext& context, std::string pump, Schema input, ItemsNode node,
          const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    void close();

    ItemsNode node_;
    std::int64_t end_ = kNoBound;  ///< of the open window
    ItemCounts counts_;
    DistinctSketch distinct_;
    RowBatch out_;
    std::vector<RowIndex> settled_;
};

}  // namespace tidemill::sql

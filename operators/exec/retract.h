#pragma once

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"
#include "operators/state/row_codec.h"
#include "operators/state/row_heap.h"

namespace tidemill::sql {

/// Turns a changelog into rows that come (weight 1) and rows that go (weight -1): keeps for each
/// key what was computed of its row, and gives it back when the row changes, goes, or no longer
/// passes the predicate. A row that changes nothing gives none.
class Retract final : public Operator {
 public:
    Retract(ExecContext& context, std::string pump, Schema input, RetractNode node,
            const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    void change(const Batch& batch, std::size_t row, bool stays);
    void flush();

    RetractNode node_;
    RowCodec codec_;
    GroupTable keys_;
    std::vector<std::uint32_t> kept_;  // bytes in the heap, by key; kNone: no row
    RowHeap heap_;
    RowBatch out_;
    std::vector<Column*> out_columns_;  // without the weight
    std::vector<const Column*> computed_, key_columns_;
    std::vector<std::uint32_t> key_of_row_;
    std::vector<RowIndex> settled_;
    std::string bytes_;
};

}  // namespace tidemill::sql

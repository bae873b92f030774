#pragma once

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// Streaming ORDER BY: keeps rows until the first key changes, by a row or by a bound, then emits
/// them sorted by all keys; equal ones stay in the order in which they came. NULL comes after every
/// value (before, with DESC). Sorted rows all bear the ROWTIME of the last of them, or of the bound
/// that was passed meanwhile: ROWTIME has to ascend.
class Sort final : public Operator {
 public:
    Sort(ExecContext& context, std::string pump, Schema input, SortNode node);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    void close();
    bool is_before(std::size_t a, std::size_t b) const;

    SortNode node_;
    std::vector<Column> rows_, keys_;  // what waits
    std::int64_t last_rowtime_ = kNoBound;
    std::int64_t passed_ = kNoBound;  // bound
    RowBatch out_;
    std::vector<RowIndex> settled_;
    std::vector<std::uint32_t> order_;
};

}  // namespace tidemill::sql

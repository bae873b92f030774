#pragma once

#include <optional>

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"
#include "operators/window/aggregate_set.h"

namespace tidemill::sql {

/// Tumbling GROUP BY: all open groups share the values of the monotonic keys; when one of these
/// changes, by a row or by a bound, the groups are emitted and forgotten. ROWTIME of the result is
/// the end of the window where the keys say it, else the time of what closed it.
class Tumble final : public Operator {
 public:
    Tumble(ExecContext& context, std::string pump, Schema input, TumbleNode node,
           const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    bool starts_window(const std::vector<const Column*>& keys, std::size_t row) const;
    void remember_window(const std::vector<const Column*>& keys, std::size_t row);
    void add_run(const std::vector<const Column*>& keys,
                 const std::vector<const Column*>& arguments, const Selection& run);
    std::int64_t window_end(std::int64_t closed_by) const;
    void close(std::int64_t closed_by);

    TumbleNode node_;
    GroupTable groups_;
    AggregateSet aggregates_;
    std::vector<Column> window_;  // the monotonic keys of the open groups, one row, or none
    std::int64_t last_rowtime_ = kNoBound;
    RowBatch out_;
    std::vector<std::uint32_t> group_of_row_;
    std::vector<RowIndex> settled_, scratch_;
};

}  // namespace tidemill::sql

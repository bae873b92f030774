#pragma once

#include "operators/exec/operator.h"
#include "operators/exec/state_budget.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"

namespace tidemill::sql {

/// SELECT DISTINCT: passes the first row of each value of the key columns on at once, as it is.
/// Nulls are equal to each other. A change of a monotonic key forgets what was seen; a value that
/// has not come for the time to live counts as new. A new value that the limits have no room for is
/// rejected.
class Distinct final : public Operator {
 public:
    Distinct(ExecContext& context, std::string pump, Schema input, DistinctNode node);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    bool starts_window(const Batch& batch, std::size_t row) const;
    void add_run(const Batch& batch, const Selection& run);
    void add_within_limits(const Batch& batch, const Selection& run);
    bool make_room(std::int64_t now);
    void keep(std::span<const std::uint32_t> values);

    DistinctNode node_;
    GroupTable seen_;
    StateBudget budget_;
    std::vector<Column> window_;  // the monotonic keys of what was seen, one row, or none
    std::vector<const Column*> keys_;
    std::vector<std::uint32_t> group_of_row_;
    std::vector<RowIndex> first_, run_, one_;
};

}  // namespace tidemill::sql

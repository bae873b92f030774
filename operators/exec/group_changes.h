#pragma once

#include "operators/exec/operator.h"
#include "operators/exec/state_budget.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"
#include "operators/window/aggregate_set.h"

namespace tidemill::sql {

/// GROUP BY ... EMIT CHANGES: after each batch one row for each group that changed, in the order of
/// their latest rows, whose ROWTIME it bears; consumers replace what they had under the same keys.
/// Groups stay until a monotonic key changes (then all go, without a further row), they have had no
/// row for the time to live, or they are evicted. A row that would need more state than the limits
/// allow is rejected.
///
/// With a period, changes wait for the next multiple of it, whose ROWTIME their rows bear, in the
/// order in which their groups first changed; so what goes out does not depend on the batches.
class GroupChanges final : public Operator {
 public:
    GroupChanges(ExecContext& context, std::string pump, Schema input, GroupChangesNode node,
                 const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    bool starts_window(std::size_t row) const;
    void remember_window(std::size_t row);
    void forget_window(std::int64_t time);
    void add(const Selection& rows);
    void add_windows(const Selection& rows);
    void add_within_limits(const Selection& rows);
    void add_one_by_one(const Selection& rows);
    void add_to_groups(const Selection& rows);
    void add_weighted(const Selection& rows);
    bool takes_back(std::size_t row) const {
        return node_.weight && batch_->columns[*node_.weight]->int_at(row) < 0;
    }
    bool is_gone(std::uint32_t group) const {
        return node_.weight && key_count_ > 0 && rows_of_[group] == 0;
    }
    bool make_room(std::size_t row);
    void keep(std::span<const std::uint32_t> groups);
    std::size_t kept_rows() const { return groups_.size() + aggregates_.distinct_values(); }
    void add_by_periods(const Selection& rows);
    void collect_changed();
    /// Rows bear their groups' latest times, or `time` if there is a period.
    void emit_changes(std::int64_t time);
    void emit_due(std::int64_t now);
    void emit_groups(std::span<const std::uint32_t> groups, std::int64_t time);
    void emit_having(Batch& out, std::span<const std::uint32_t> groups);

    GroupChangesNode node_;
    Schema output_;
    std::size_t key_count_;
    GroupTable groups_;
    AggregateSet aggregates_;
    StateBudget budget_;
    std::vector<char> is_shown_;         // whether a row of the group went out
    std::vector<std::int64_t> rows_of_;  // with weights: how many rows a group has
    std::vector<std::uint32_t> marked_;  // round in which a group was last seen to have changed
    std::uint32_t round_ = 0;
    std::vector<std::uint32_t> waiting_;  // with a period: groups that have changed since it began
    std::int64_t due_ = kEndOfTime;       // when they go out
    std::int64_t last_rowtime_ = kNoBound;
    std::vector<Column> window_;  // the monotonic keys of the groups, one row, or none

    // Of the batch at work.
    const Batch* batch_ = nullptr;
    std::vector<const Column*> keys_, arguments_;
    std::vector<RowIndex> unsaid_;  // rows that were added since the last emission
    std::vector<std::uint32_t> group_of_row_, changed_;
    RowBatch out_;
    std::vector<RowIndex> settled_, run_, part_, period_, coming_, going_, one_, passed_;
};

}  // namespace tidemill::sql

#pragma once

#include <deque>

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"
#include "operators/window/aggregate_set.h"

namespace tidemill::sql {

/// WINDOWED BY STAGGER: a key's window opens with its first row and closes `millis` later, by a row
/// or by a bound; its result bears that time. A row at the very end opens the next window.
///
/// All windows are equally long, so they close in the order in which they opened. They are kept by
/// generations of `millis` in which they opened: a key opens one window at most in each, and of two
/// generations before none is open any more, so whole tables are forgotten and memory follows the
/// keys of two window lengths.
class Stagger final : public Operator {
 public:
    Stagger(ExecContext& context, std::string pump, Schema input, StaggerNode node,
            const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    struct Generation {
        Generation(const StaggerNode& node, std::int64_t number);
        std::int64_t number;  ///< opening time / millis, rounded down
        GroupTable groups;    ///< a group is a window
        AggregateSet aggregates;
        std::vector<std::int64_t> opened;  ///< of each window
        std::size_t closed = 0;            ///< so many of the first are over
    };

    std::int64_t number_of(std::int64_t time) const;
    /// When the next open window ends; kEndOfTime if none is open.
    std::int64_t next_end() const;
    void close_until(std::int64_t time);
    void close_one();
    void add_run(const Batch& batch, const Selection& run);
    void add(Generation& to, const Selection& rows);

    StaggerNode node_;
    std::deque<Generation> generations_;  // two at most, older first
    RowBatch out_;
    std::vector<const Column*> keys_, arguments_;
    std::vector<std::uint32_t> group_of_row_;
    std::vector<RowIndex> settled_, run_, known_, fresh_;
};

}  // namespace tidemill::sql

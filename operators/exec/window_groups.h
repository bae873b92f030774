#pragma once

#include <map>
#include <memory>
#include <vector>

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"
#include "operators/window/aggregate_set.h"

namespace tidemill::sql {

/// GROUP BY over TUMBLE, HOP and CUMULATE: the groups of each open window. A window goes out when a
/// row or a bound reaches its end, which its rows bear as ROWTIME, groups in the order in which
/// they came. A row costs an update for each window of Hop that holds it, one for Cumulate, whose
/// groups go out at each step and stay until the whole window is over.
class WindowGroups final : public Operator {
 public:
    WindowGroups(ExecContext& context, std::string pump, Schema input, WindowGroupNode node,
                 const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    struct Window {
        explicit Window(const WindowGroupNode& node);
        GroupTable groups;
        AggregateSet aggregates;
        std::int64_t next_end = 0;  ///< when it goes out next
    };

    Window& window_at(std::int64_t start);
    void add_run(std::int64_t time, const Selection& run);
    void close_until(std::int64_t time);
    void emit_window(std::int64_t start, const Window& window);

    WindowGroupNode node_;
    std::map<std::int64_t, std::unique_ptr<Window>> windows_;  // by start
    std::vector<std::unique_ptr<Window>> spare_;
    std::vector<const Column*> keys_, arguments_;
    std::vector<std::uint32_t> group_of_row_;
    std::vector<RowIndex> settled_, run_;
    RowBatch out_;
};

/// Appends the columns of one group: those of its window and its keys, in their places.
void append_window_keys(const WindowGroupNode& node, std::int64_t start, std::int64_t end,
                        const std::vector<Column>& keys, std::size_t group, RowBatch& to);

}  // namespace tidemill::sql

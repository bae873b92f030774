#pragma once

#include <vector>

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"
#include "operators/window/aggregate_set.h"

namespace tidemill::sql {

/// GROUP BY over SESSION: the rows of a key that follow each other with less than the gap between
/// them. A session goes out when a row or a bound comes the gap after its last row, which is its
/// end and the ROWTIME of its result; several in the order of their ends. Memory follows the keys
/// with an open session.
class SessionGroups final : public Operator {
 public:
    SessionGroups(ExecContext& context, std::string pump, Schema input, WindowGroupNode node,
                  const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    struct Session {
        std::int64_t start = 0, last = 0;
        bool is_open = false;
    };
    /// When to look at a session: at its end, or before it when rows have come meanwhile.
    struct Look {
        std::int64_t at;
        std::uint32_t group;
        bool operator>(const Look& other) const {
            return at != other.at ? at > other.at : group > other.group;
        }
    };

    void add_run(const Batch& batch, const Selection& run);
    void look_at(std::uint32_t group, std::int64_t at);
    void close_until(std::int64_t time);
    void forget_closed();

    WindowGroupNode node_;
    GroupTable groups_;
    AggregateSet aggregates_;
    std::vector<Session> sessions_;  // by group
    std::vector<Look> looks_;        // a heap, earliest first; one for each open session
    std::size_t open_ = 0;
    std::vector<const Column*> keys_, arguments_;
    std::vector<std::uint32_t> group_of_row_;
    std::vector<RowIndex> settled_, run_;
    RowBatch out_;
};

}  // namespace tidemill::sql

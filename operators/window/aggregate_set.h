#pragma once

#include <memory>
#include <span>
#include <vector>

#include "operators/window/distinct_values.h"
#include "operators/window/group_aggregate.h"

namespace tidemill::sql {

/// All aggregates of one GROUP BY over many groups: gives each aggregate the rows that count for it
/// (FILTER, and with DISTINCT the first row of each value).
class AggregateSet {
 public:
    /// Ownership: `calls` are copied.
    explicit AggregateSet(std::span<const AggregateCall> calls);

    std::size_t size() const { return aggregates_.size(); }
    /// Makes room for groups up to `count`; new ones are empty.
    void resize(std::size_t count);
    /// Adds rows to their groups. `arguments` are the columns that the calls count in.
    void update(std::span<const Column* const> arguments, const Selection& rows,
                const std::vector<std::uint32_t>& groups);
    /// Takes back rows that were added; all calls say `takes_back`.
    void retract(std::span<const Column* const> arguments, const Selection& rows,
                 const std::vector<std::uint32_t>& groups);
    /// Appends the results of a group to the columns from `first` on.
    void append_results(std::size_t group, RowBatch& to, std::size_t first) const;

    /// How many sets of values are kept for DISTINCT; a row adds one value at most to each.
    std::size_t distinct_sets() const { return distinct_.size(); }
    /// Values kept for DISTINCT, of all groups together.
    std::size_t distinct_values() const;
    /// How many more values the row would keep in a group (or in a new one: kNoGroup).
    std::size_t would_grow(std::span<const Column* const> arguments, std::size_t row,
                           std::uint32_t group);

    /// A group is empty again.
    void reset(std::size_t group);
    /// Group i becomes what `groups[i]` is (ascending); the others are forgotten.
    void keep(std::span<const std::uint32_t> groups);
    void clear();
    void snapshot(StateWriter& to) const;
    /// For `count` groups.
    void restore(StateReader& from, std::size_t count);

 private:
    struct Member {
        std::size_t call;
        std::vector<RowIndex> rows;  // scratch
    };
    /// Calls with DISTINCT over one argument.
    struct Distinct {
        Distinct(std::size_t its_argument, const Type& type)
            : argument(its_argument), values(type) {}
        std::size_t argument;
        std::vector<Member> members;
        DistinctValues values;
    };
    /// Rows for which a filter is true.
    struct Filter {
        std::size_t argument;
        std::vector<RowIndex> rows;  // scratch
    };

    void apply_filters(std::span<const Column* const> arguments, const Selection& rows);
    Selection filtered(const AggregateCall& call, const Selection& rows) const;
    void update_distinct(Distinct& distinct, std::span<const Column* const> arguments,
                         const Selection& rows, const std::vector<std::uint32_t>& groups);

    std::vector<AggregateCall> calls_;
    std::vector<std::unique_ptr<GroupAggregate>> aggregates_;
    std::vector<Distinct> distinct_;
    std::vector<Filter> filters_;
    std::vector<std::uint32_t> wanted_, fresh_;
};

}  // namespace tidemill::sql

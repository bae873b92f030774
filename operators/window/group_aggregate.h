#pragma once

#include <memory>
#include <span>
#include <vector>

#include "operators/expr/aggregate.h"
#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"
#include "operators/vector/batch.h"

namespace tidemill::sql {

/// One aggregate over many groups, fed column by column: states lie side by side in arrays.
class GroupAggregate {
 public:
    virtual ~GroupAggregate() = default;
    /// Makes room for groups up to `count`; new ones are empty.
    virtual void resize(std::size_t count) = 0;
    /// Adds `argument[row]` to group `groups[row]` for each row; nulls do not count. `argument` is
    /// null for COUNT(*).
    virtual void update(const Column* argument, const Selection& rows,
                        const std::vector<std::uint32_t>& groups) = 0;
    /// Takes back rows that were added. MIN, MAX and DISTINCT can only if their call says
    /// `takes_back`.
    virtual void retract(const Column* argument, const Selection& rows,
                         const std::vector<std::uint32_t>& groups);
    /// Appends the result of a group. An exact sum that overflowed is null.
    virtual void append_result(std::size_t group, Column& to) const = 0;
    /// A group is empty again.
    virtual void reset(std::size_t group) = 0;
    /// Group i becomes what `groups[i]` is (ascending); the others are forgotten.
    virtual void keep(std::span<const std::uint32_t> groups) = 0;
    virtual void clear() = 0;
    virtual void snapshot(StateWriter& to) const = 0;
    /// For `count` groups.
    virtual void restore(StateReader& from, std::size_t count) = 0;
};

std::unique_ptr<GroupAggregate> make_group_aggregate(const AggregateCall& call);

}  // namespace tidemill::sql

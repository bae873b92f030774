#pragma once

#include <map>
#include <memory>
#include <string>

#include "operators/state/row_codec.h"
#include "operators/window/group_aggregate.h"

namespace tidemill::sql {

/// How often each group has each value, in order: what MIN, MAX and DISTINCT need where rows are
/// taken back. Costs the logarithm of the group's different values for a row.
class CountedValues {
 public:
    struct Entry {
        std::int64_t count = 0, bits = 0;
        std::string text;
    };
    using Values = std::map<std::string, Entry, std::less<>>;  // by SortKey

    explicit CountedValues(const Type& type) : type_(type), order_({type}, {false}) {}

    void resize(std::size_t count) { groups_.resize(count); }
    /// Whether the group has the value for the first time.
    bool add(const Column& column, std::size_t row, std::size_t group);
    /// Whether it was the last of its kind; one that is not there is none.
    bool remove(const Column& column, std::size_t row, std::size_t group);
    const Values& of(std::size_t group) const { return groups_[group]; }

    void reset(std::size_t group) { groups_[group].clear(); }
    void keep(std::span<const std::uint32_t> groups);
    void clear() { groups_.clear(); }
    void snapshot(StateWriter& to) const;
    void restore(StateReader& from, std::size_t count);

 private:
    Type type_;
    SortKey order_;
    std::vector<Values> groups_;
    std::string key_;
};

/// MIN, MAX, or any aggregate with DISTINCT, of rows that can be taken back.
std::unique_ptr<GroupAggregate> make_counted_aggregate(const AggregateCall& call);

}  // namespace tidemill::sql

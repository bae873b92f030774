#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/state/row_codec.h"

namespace tidemill::sql {

/// One of the first rows of a group.
struct RankedRow {
    SortKey::Part key;
    std::uint32_t row = 0;  ///< the owner's business

    /// Marks a row that came since the last emission.
    static constexpr std::uint32_t kFresh = 0x80000000;
    bool is_fresh() const { return (row & kFresh) != 0; }
    std::uint32_t number() const { return row & ~kFresh; }
};

/// The first rows of many groups, in order, in small arrays side by side that grow by doubling.
class RankedRows {
 public:
    std::size_t groups() const { return groups_.size(); }
    /// Of all groups.
    std::size_t rows() const { return rows_; }
    void resize(std::size_t groups) { groups_.resize(groups); }

    std::span<RankedRow> of(std::size_t group) {
        return {pool_.data() + groups_[group].begin, groups_[group].size};
    }
    std::span<const RankedRow> of(std::size_t group) const {
        return {pool_.data() + groups_[group].begin, groups_[group].size};
    }
    /// Puts a row at a place; the group has fewer than it may have.
    void insert(std::size_t group, std::size_t place, const RankedRow& row);
    /// Puts a row at a place where the last one has to go.
    RankedRow insert_and_drop_last(std::size_t group, std::size_t place, const RankedRow& row);
    void clear_group(std::size_t group);
    /// Group i becomes what `groups[i]` is (ascending); the others are forgotten.
    void keep(std::span<const std::uint32_t> groups);
    void clear();

 private:
    struct Group {
        std::uint32_t begin = 0, size = 0, room_class = kNoRoom;
    };
    static constexpr std::uint32_t kNoRoom = 0xffffffff;
    static std::size_t room(std::uint32_t room_class) { return std::size_t{1} << room_class; }
    std::uint32_t take_room(std::uint32_t room_class);

    std::vector<Group> groups_;
    std::vector<RankedRow> pool_;
    std::vector<std::vector<std::uint32_t>> free_;  // begins, by class
    std::size_t rows_ = 0;
};

}  // namespace tidemill::sql

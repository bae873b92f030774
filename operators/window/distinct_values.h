#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/state/group_table.h"

namespace tidemill::sql {

/// The different values that each group has seen, for aggregates with DISTINCT. Several aggregates
/// over one argument share it: every value has a bit for each of them ("members", which differ by
/// their FILTER), so a row costs one look-up. Open addressing; texts are numbered by a table first.
/// A group's values are forgotten at no cost and swept when they are half of all.
class DistinctValues {
 public:
    static constexpr std::size_t kMembersMax = 32;

    explicit DistinctValues(const Type& type);

    /// Makes room for groups up to `count`; new ones have seen nothing.
    void resize(std::size_t count);
    /// For each row: which bits of `wanted[row]` its value did not have in its group, into
    /// `fresh[row]`; they have them now. Rows with null or without bits get 0.
    void add(const Column& values, const Selection& rows, const std::vector<std::uint32_t>& groups,
             const std::vector<std::uint32_t>& wanted, std::vector<std::uint32_t>& fresh);
    /// Whether `add` of this row would keep one more value.
    bool would_grow(const Column& values, std::size_t row, std::uint32_t group);

    void reset(std::size_t group);
    /// Group i becomes what `groups[i]` is (ascending); the others are forgotten.
    void keep(std::span<const std::uint32_t> groups);
    void clear();
    /// Values kept, of all groups together.
    std::size_t size() const { return used_ - forgotten_; }

    void snapshot(StateWriter& to) const;
    /// For `count` groups and members below `members`.
    void restore(StateReader& from, std::size_t count, std::size_t members);

 private:
    // Groups own sets by number, so that a group can be given an empty one.
    struct Slot {
        std::int64_t value;
        std::uint32_t set;
        std::uint32_t mask;  ///< 0: empty
    };
    struct Set {
        std::uint32_t number = 0, values = 0;
    };

    static std::uint64_t hash_of(std::int64_t value, std::uint32_t set) {
        const auto bits = static_cast<std::uint64_t>(value);
        return (bits ^ (bits >> 32) ^ set * 0xd6e8feb86659fd93ULL) * 0x9e3779b97f4a7c15ULL;
    }
    std::size_t place_of(std::int64_t value, std::uint32_t set) const {
        return static_cast<std::size_t>(hash_of(value, set) >> shift_);
    }
    /// The slot of the value, or the empty one where it belongs.
    std::size_t find(std::int64_t value, std::uint32_t set) const;
    std::int64_t plain_value(const Column& values, std::size_t row) const;
    void insert_new(const Slot& slot);
    void allocate(std::size_t slots);
    void sweep();
    /// The group of each set, kNoGroup for forgotten ones.
    std::vector<std::uint32_t> owners() const;

    Type type_;
    bool is_text_;
    GroupTable texts_;
    std::vector<Slot> slots_;  // a power of two
    unsigned shift_ = 0;
    std::size_t used_ = 0, forgotten_ = 0;
    std::vector<Set> sets_;  // of each group
    std::uint32_t next_set_ = 0;
    std::vector<std::uint32_t> text_numbers_;
    std::vector<RowIndex> text_rows_;
};

}  // namespace tidemill::sql

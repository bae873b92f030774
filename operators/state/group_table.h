#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"
#include "operators/vector/column.h"

namespace tidemill::sql {

/// Numbers the distinct keys of a GROUP BY or PARTITION BY: 0, 1, 2 ... in order of appearance.
/// Open addressing over hashes; keys stay in columns. Nulls are equal to each other, as SQL groups
/// them.
class GroupTable {
 public:
    explicit GroupTable(std::span<const Type> key_types);

    std::size_t size() const { return hashes_.size(); }
    const std::vector<Column>& keys() const { return keys_; }

    /// Group numbers of the given rows, new keys added. `groups[row]` is set for each row of
    /// `rows`.
    void find_or_add(std::span<const Column* const> columns, const Selection& rows,
                     std::vector<std::uint32_t>& groups);
    /// The same without adding: kNoGroup for a key that is not there.
    static constexpr std::uint32_t kNoGroup = 0xffffffff;
    void find(std::span<const Column* const> columns, const Selection& rows,
              std::vector<std::uint32_t>& groups);
    /// Whether the texts of its keys, or its numbers, come near what a column can hold.
    bool is_crowded() const;
    void clear();
    /// Group i becomes what `groups[i]` is (ascending); the others are forgotten.
    void keep(std::span<const std::uint32_t> groups);

    void snapshot(StateWriter& to) const;
    void restore(StateReader& from);

 private:
    static constexpr std::uint32_t kEmpty = 0xffffffff;

    void hash_rows(std::span<const Column* const> columns, const Selection& rows,
                   std::vector<std::uint32_t>& groups);
    std::uint32_t find_or_add_row(std::span<const Column* const> columns, std::size_t row,
                                  std::uint64_t hash);
    bool equals(std::span<const Column* const> columns, std::size_t row, std::uint32_t group) const;
    void grow(std::size_t slots);

    std::vector<Column> keys_;
    std::vector<std::uint64_t> hashes_;  // of each group
    std::vector<std::uint32_t> slots_;   // group number or kEmpty; a power of two
    std::vector<std::uint64_t> row_hashes_;
};

}  // namespace tidemill::sql

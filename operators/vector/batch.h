#pragma once

#include <cstdint>
#include <vector>

#include "operators/vector/column.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

/// Rows in a batch, at most.
inline constexpr std::size_t kBatchRows = 2048;
using RowIndex = std::uint16_t;

/// Some rows of a batch, ascending. Without `rows` it is the first `count` rows.
/// Ownership: a view; whoever made the index array keeps it for as long as the call lasts.
struct Selection {
    const RowIndex* rows = nullptr;
    std::size_t count = 0;

    static Selection all(std::size_t count) { return {nullptr, count}; }
    static Selection of(const std::vector<RowIndex>& rows) { return {rows.data(), rows.size()}; }

    bool is_dense() const { return rows == nullptr; }
    std::size_t operator[](std::size_t i) const { return rows == nullptr ? i : rows[i]; }
    Selection sub(std::size_t from, std::size_t n, std::vector<RowIndex>& scratch) const;

    template <class F>
    void for_each(F&& visit) const {
        if (rows == nullptr)
            for (std::size_t i = 0; i < count; ++i)
                visit(i);
        else
            for (std::size_t i = 0; i < count; ++i)
                visit(static_cast<std::size_t>(rows[i]));
    }
};

/// Rows on their way between operators: a view of columns that someone else owns.
/// Only the selected rows exist; other slots hold anything. `rowtime` is a TIMESTAMP column without
/// nulls, ascending over the selected rows. Ownership: valid for the duration of the call that
/// carries it; copy into a RowBatch to keep rows.
struct Batch {
    std::vector<const Column*> columns;
    const Column* rowtime = nullptr;
    Selection selection;
    std::size_t rows = 0;  ///< slots in each column, selected or not

    std::size_t size() const { return selection.count; }
};

/// Rows that own their memory.
class RowBatch {
 public:
    RowBatch() : rowtime(TypeKind::Timestamp) {}
    explicit RowBatch(const Schema& schema);

    std::vector<Column> columns;
    Column rowtime;

    std::size_t size() const { return rowtime.size(); }
    bool is_full() const { return size() >= kBatchRows; }
    void clear();
    /// Appends one row of `batch`, which has the same column types.
    void append_row(const Batch& batch, std::size_t row);
    /// Takes back a row whose columns are only partly appended, so that all have `rows` rows again.
    void truncate(std::size_t rows);
    /// Ownership: the view points into this object.
    Batch view() const;
};

}  // namespace tidemill::sql

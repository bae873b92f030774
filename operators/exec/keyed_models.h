#pragma once

#include <functional>
#include <span>
#include <vector>

#include "operators/exec/operator.h"
#include "operators/expr/expression.h"
#include "operators/state/group_table.h"

namespace tidemill::sql {

/// The rows of a batch that a model can take, by the key of PARTITION BY: what RANDOM_CUT_FOREST
/// and HOTSPOTS have in common. A row with a null, a NaN or an infinite value among its numbers is
/// in none of them.
class KeyedRows {
 public:
    KeyedRows(std::vector<ExpressionPtr> keys, std::vector<std::size_t> columns);

    /// Computes the keys of a batch; rows that fail are marked in `evaluation`.
    void find_keys(const Batch& batch, Evaluation& evaluation);
    /// Takes the batch apart, without the rows that failed.
    void take(const Batch& batch);

    std::size_t key_count() const { return keys_.empty() ? 1 : table_.size(); }
    std::size_t size() const { return rows_.size(); }
    RowIndex row(std::size_t i) const { return rows_[i]; }
    std::span<const double> values(std::size_t i) const {
        return {values_.data() + i * columns_.size(), columns_.size()};
    }
    std::uint32_t key(std::size_t i) const { return keys_.empty() ? 0 : key_of_row_[rows_[i]]; }

    /// Calls `visit(key, first, last)` for runs of places in `by_key()` that have one key.
    template <class F>
    void for_each_key(F&& visit) {
        sort_by_key();
        for (std::size_t i = 0; i < order_.size();) {
            std::size_t end = i + 1;
            while (end < order_.size() && key(order_[end]) == key(order_[i]))
                ++end;
            visit(key(order_[i]), i, end);
            i = end;
        }
    }
    /// Rows in the order of their keys, and of the batch within a key.
    const std::vector<std::uint32_t>& by_key() const { return order_; }

    void snapshot(StateWriter& to) const { table_.snapshot(to); }
    void restore(StateReader& from) { table_.restore(from); }

 private:
    void sort_by_key();

    std::vector<ExpressionPtr> keys_;
    std::vector<std::size_t> columns_;
    GroupTable table_;
    std::vector<const Column*> found_;  // keys of the batch
    std::vector<RowIndex> rows_;
    std::vector<double> values_;
    std::vector<std::uint32_t> key_of_row_, order_;
};

}  // namespace tidemill::sql

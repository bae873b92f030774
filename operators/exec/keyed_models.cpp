#include "operators/exec/keyed_models.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace tidemill::sql {

namespace {

std::vector<Type> types_of(const std::vector<ExpressionPtr>& expressions) {
    std::vector<Type> types;
    for (const auto& expression : expressions)
        types.push_back(expression->type());
    return types;
}

}  // namespace

KeyedRows::KeyedRows(std::vector<ExpressionPtr> keys, std::vector<std::size_t> columns)
    : keys_(std::move(keys)), columns_(std::move(columns)), table_(types_of(keys_)) {}

void KeyedRows::find_keys(const Batch& batch, Evaluation& evaluation) {
    found_.clear();
    for (const auto& key : keys_)
        found_.push_back(&key->evaluate(evaluation, batch.selection));
}

void KeyedRows::take(const Batch& batch) {
    rows_.clear();
    values_.clear();
    batch.selection.for_each([&](std::size_t row) {
        for (const auto index : columns_) {
            const auto& column = *batch.columns[index];
            const double value = column.is_null(row) ? NAN : column.number_at(row);
            if (!std::isfinite(value)) return values_.resize(rows_.size() * columns_.size());
            values_.push_back(value);
        }
        rows_.push_back(static_cast<RowIndex>(row));
    });
    if (!keys_.empty()) table_.find_or_add(found_, Selection::of(rows_), key_of_row_);
}

void KeyedRows::sort_by_key() {
    order_.resize(rows_.size());
    std::iota(order_.begin(), order_.end(), 0U);
    if (keys_.empty()) return;
    std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) {
        return std::pair(key(a), a) < std::pair(key(b), b);
    });
}

}  // namespace tidemill::sql

#include "operators/exec/sort.h"

#include <algorithm>
#include <numeric>

#include "operators/exec/bound_mapping.h"
#include "operators/vector/column_order.h"

namespace tidemill::sql {

Sort::Sort(ExecContext& context, std::string pump, Schema input, SortNode node)
    : Operator(context, std::move(pump), "Sort", std::move(input)),
      node_(std::move(node)),
      out_(this->input()) {
    for (const auto& field : this->input().fields)
        rows_.emplace_back(field.type);
    for (const auto& key : node_.keys)
        keys_.emplace_back(key->type());
}

void Sort::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    std::vector<const Column*> keys;
    for (const auto& key : node_.keys)
        keys.push_back(&key->evaluate(evaluation, batch.selection));
    settle(evaluation, batch.selection, settled_).for_each([&](std::size_t row) {
        const auto count = keys_[0].size();
        for (std::size_t k = 0; k < keys.size(); ++k)
            keys_[k].append_from(*keys[k], row);
        if (count > 0 && compare_rows(keys_[0], count - 1, count) != 0) {
            for (auto& key : keys_)
                key.truncate(count);
            close();
            for (std::size_t k = 0; k < keys.size(); ++k)
                keys_[k].append_from(*keys[k], row);
        }
        for (std::size_t c = 0; c < rows_.size(); ++c)
            rows_[c].append_from(*batch.columns[c], row);
        last_rowtime_ = batch.rowtime->int_at(row);
    });
}

bool Sort::is_before(std::size_t a, std::size_t b) const {
    for (std::size_t k = 0; k < keys_.size(); ++k) {
        const int order = compare_rows(keys_[k], a, b);
        if (order != 0) return (order < 0) != node_.is_descending[k];
    }
    return a < b;
}

void Sort::close() {
    const auto count = keys_[0].size();
    order_.resize(count);
    std::iota(order_.begin(), order_.end(), 0U);
    std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) { return is_before(a, b); });
    const auto rowtime = std::max(last_rowtime_, passed_);
    for (const auto row : order_) {
        for (std::size_t c = 0; c < rows_.size(); ++c)
            out_.columns[c].append_from(rows_[c], row);
        out_.rowtime.append_int(rowtime);
        if (!out_.is_full()) continue;
        emit(out_.view());
        out_.clear();
    }
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
    for (auto& column : rows_)
        column.clear();
    for (auto& key : keys_)
        key.clear();
}

void Sort::on_bound(std::int64_t bound) {
    if (keys_[0].size() > 0) {
        bool is_over = bound == kEndOfTime;
        if (!is_over && node_.keys[0]->is_rowtime_only && !keys_[0].is_null(0)) {
            const auto value = map_bound(*node_.keys[0], bound);
            is_over = value && *value != keys_[0].int_at(0);
        }
        if (is_over) close();
    }
    if (bound != kEndOfTime) passed_ = bound;
    pass_bound(bound);
}

void Sort::save(StateWriter& to) const {
    to.put_int(last_rowtime_);
    to.put_int(passed_);
    for (const auto& column : rows_)
        to.put_column(column);
    for (const auto& key : keys_)
        to.put_column(key);
}

void Sort::load(StateReader& from) {
    last_rowtime_ = from.take_int();
    passed_ = from.take_int();
    for (auto& column : rows_)
        from.take_column(column);
    for (auto& key : keys_)
        from.take_column(key);
    for (const auto* columns : {&rows_, &keys_})
        for (const auto& column : *columns)
            if (column.size() != keys_[0].size()) return from.fail();
}

}  // namespace tidemill::sql

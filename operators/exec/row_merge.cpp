#include "operators/exec/row_merge.h"

#include <algorithm>

namespace tidemill::sql {

RowMerge::RowMerge(const Schema& schema, std::size_t inputs, Emit emit)
    : out_(schema), emit_(std::move(emit)) {
    for (std::size_t i = 0; i < inputs; ++i) {
        inputs_.emplace_back();
        inputs_.back().rows = RowBatch(schema);
    }
}

void RowMerge::push(std::size_t input, const Batch& batch) {
    auto& from = inputs_[input];
    batch.selection.for_each([&](std::size_t row) { from.rows.append_row(batch, row); });
    if (batch.size() > 0)
        from.bound = std::max(from.bound, batch.rowtime->int_at(batch.selection[batch.size() - 1]));
    release();
}

void RowMerge::advance(std::size_t input, std::int64_t bound) {
    inputs_[input].bound = std::max(inputs_[input].bound, bound);
    release();
}

std::int64_t RowMerge::bound() const {
    return std::ranges::min_element(inputs_, {}, &Input::bound)->bound;
}

std::size_t RowMerge::waiting_rows() const {
    std::size_t count = 0;
    for (const auto& input : inputs_)
        count += input.rows.size() - input.next;
    return count;
}

void RowMerge::release() {
    const auto limit = bound();
    std::vector<Batch> views;
    for (const auto& input : inputs_)
        views.push_back(input.rows.view());
    for (;;) {
        Input* first = nullptr;
        for (auto& input : inputs_) {
            if (input.next == input.rows.size()) continue;
            const auto time = input.rows.rowtime.int_at(input.next);
            if (time <= limit &&
                (first == nullptr || time < first->rows.rowtime.int_at(first->next)))
                first = &input;
        }
        if (first == nullptr) break;
        out_.append_row(views[static_cast<std::size_t>(first - inputs_.data())], first->next++);
        if (out_.is_full()) {
            emit_(out_.view());
            out_.clear();
        }
    }
    if (out_.size() > 0) emit_(out_.view());
    out_.clear();
    for (auto& input : inputs_) {
        if (input.next == input.rows.size()) {
            input.rows.clear();
            input.next = 0;
        } else if (input.next > kBatchRows) {
            // What has left is dropped now and then, not at each row.
            RowBatch rest = input.rows;
            rest.clear();
            const auto view = input.rows.view();
            for (std::size_t row = input.next; row < input.rows.size(); ++row)
                rest.append_row(view, row);
            input.rows = std::move(rest);
            input.next = 0;
        }
    }
}

void RowMerge::save(StateWriter& to) const {
    for (const auto& input : inputs_) {
        to.put_int(input.bound);
        to.put_count(input.next);
        to.put_rows(input.rows);
    }
}

void RowMerge::load(StateReader& from) {
    for (auto& input : inputs_) {
        input.bound = from.take_int();
        input.next = from.take_count();
        from.take_rows(input.rows);
        if (input.next > input.rows.size()) {
            input.next = 0;
            from.fail();
        }
    }
}

}  // namespace tidemill::sql

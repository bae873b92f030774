#include "operators/exec/reorder_buffer.h"

#include <algorithm>

namespace tidemill::sql {

namespace {

constexpr auto kLater = [](const auto& a, const auto& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
};
// Rows that have left are swept out when they are more than this, and more than those that wait.
constexpr std::size_t kFewestToSweep = 4096;

}  // namespace

ReorderBuffer::ReorderBuffer(const Schema& schema) : out_(schema) {
    for (const auto& field : schema.fields)
        rows_.emplace_back(field.type);
}

void ReorderBuffer::add(const Batch& batch, std::size_t row, std::int64_t time) {
    if (waiting_.empty()) {
        for (auto& column : rows_)
            column.clear();
        count_ = 0;
    }
    for (std::size_t c = 0; c < rows_.size(); ++c)
        rows_[c].append_from(*batch.columns[c], row);
    waiting_.push_back({time, next_sequence_++, count_++});
    std::ranges::push_heap(waiting_, kLater);
}

void ReorderBuffer::release(std::int64_t until, const std::function<void(const Batch&)>& emit) {
    const auto send = [&] {
        if (out_.size() > 0) emit(out_.view());
        out_.clear();
    };
    while (!waiting_.empty() && waiting_.front().time <= until) {
        std::ranges::pop_heap(waiting_, kLater);
        const auto first = waiting_.back();
        waiting_.pop_back();
        for (std::size_t c = 0; c < rows_.size(); ++c)
            out_.columns[c].append_from(rows_[c], first.row);
        out_.rowtime.append_int(first.time);
        if (out_.is_full()) send();
    }
    send();
    compact();
}

void ReorderBuffer::compact() {
    if (count_ < kFewestToSweep || count_ < 2 * waiting_.size()) return;
    std::vector<Column> kept;
    for (const auto& column : rows_)
        kept.emplace_back(column.type());
    count_ = 0;
    for (auto& one : waiting_) {
        for (std::size_t c = 0; c < rows_.size(); ++c)
            kept[c].append_from(rows_[c], one.row);
        one.row = count_++;
    }
    rows_ = std::move(kept);
}

void ReorderBuffer::save(StateWriter& to) const {
    to.put_count(next_sequence_);
    to.put_count(waiting_.size());
    for (const auto& one : waiting_) {
        to.put_int(one.time);
        to.put_count(one.sequence);
    }
    for (const auto& rows : rows_) {
        Column column(rows.type());
        for (const auto& one : waiting_)
            column.append_from(rows, one.row);
        to.put_column(column);
    }
}

void ReorderBuffer::load(StateReader& from) {
    next_sequence_ = from.take_count();
    waiting_.resize(from.take_size(2));
    count_ = 0;
    for (auto& one : waiting_) {
        one.time = from.take_int();
        one.sequence = from.take_count();
        one.row = count_++;
    }
    for (auto& column : rows_) {
        from.take_column(column);
        if (column.size() != waiting_.size()) return from.fail();
    }
    if (!std::ranges::is_heap(waiting_, kLater)) from.fail();
}

}  // namespace tidemill::sql

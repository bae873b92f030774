#include "operators/exec/time_sort.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::sql {

namespace {

constexpr auto kLater = [](const auto& a, const auto& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
};
// Rows that have left are swept out when they are more than this, and more than those that wait.
constexpr std::size_t kFewestToSweep = 4096;

}  // namespace

TimeSort::TimeSort(ExecContext& context, std::string pump, Schema input, std::int64_t millis,
                   const Schema& output)
    : Operator(context, std::move(pump), "TimeSort", std::move(input)),
      millis_(millis),
      out_(output) {
    for (const auto& field : output.fields)
        rows_.emplace_back(field.type);
}

void TimeSort::on_batch(const Batch& batch) {
    const auto& times = *batch.columns.back();
    batch.selection.for_each([&](std::size_t row) {
        if (times.is_null(row)) return;
        const auto time = times.int_at(row);
        if (time < released_)
            return reject(
                batch, row, "RowTooLate",
                fmt::format("This row's time is more than {} ms before that of another.", millis_));
        const auto place = static_cast<std::uint32_t>(
            next_sequence_ == 0 || waiting_.empty() ? 0 : rows_[0].size());
        if (place == 0)
            for (auto& column : rows_)
                column.clear();
        for (std::size_t c = 0; c < rows_.size(); ++c)
            rows_[c].append_from(*batch.columns[c], row);
        waiting_.push_back({time, next_sequence_++, place});
        std::ranges::push_heap(waiting_, kLater);
        if (time - millis_ > released_) release(time - millis_);
    });
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
    compact();
    pass_bound(released_);
}

void TimeSort::release(std::int64_t until) {
    while (!waiting_.empty() && waiting_.front().time <= until) {
        std::ranges::pop_heap(waiting_, kLater);
        const auto first = waiting_.back();
        waiting_.pop_back();
        for (std::size_t c = 0; c < rows_.size(); ++c)
            out_.columns[c].append_from(rows_[c], first.row);
        out_.rowtime.append_int(first.time);
        if (!out_.is_full()) continue;
        emit(out_.view());
        out_.clear();
    }
    released_ = until;
}

void TimeSort::compact() {
    const auto size = rows_[0].size();
    if (size < kFewestToSweep || size < 2 * waiting_.size()) return;
    std::vector<Column> kept;
    for (const auto& column : rows_)
        kept.emplace_back(column.type());
    for (auto& one : waiting_) {
        for (std::size_t c = 0; c < rows_.size(); ++c)
            kept[c].append_from(rows_[c], one.row);
        one.row = static_cast<std::uint32_t>(kept[0].size() - 1);
    }
    rows_ = std::move(kept);
}

void TimeSort::on_bound(std::int64_t bound) {
    if (bound != kEndOfTime) return;
    release(kEndOfTime);
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
    pass_bound(bound);
}

void TimeSort::save(StateWriter& to) const {
    to.put_count(next_sequence_);
    to.put_int(released_);
    to.put_count(waiting_.size());
    for (const auto& one : waiting_) {
        to.put_int(one.time);
        to.put_count(one.sequence);
    }
    for (std::size_t c = 0; c < rows_.size(); ++c) {
        Column column(rows_[c].type());
        for (const auto& one : waiting_)
            column.append_from(rows_[c], one.row);
        to.put_column(column);
    }
}

void TimeSort::load(StateReader& from) {
    next_sequence_ = from.take_count();
    released_ = from.take_int();
    waiting_.resize(from.take_size(2));
    for (std::uint32_t i = 0; i < waiting_.size(); ++i) {
        waiting_[i].time = from.take_int();
        waiting_[i].sequence = from.take_count();
        waiting_[i].row = i;
    }
    for (auto& column : rows_) {
        from.take_column(column);
        if (column.size() != waiting_.size()) return from.fail();
    }
    if (!std::ranges::is_heap(waiting_, kLater)) from.fail();
}

}  // namespace tidemill::sql

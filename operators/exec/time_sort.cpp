#include "operators/exec/time_sort.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::sql {

TimeSort::TimeSort(ExecContext& context, std::string pump, Schema input, std::int64_t millis,
                   const Schema& output)
    : Operator(context, std::move(pump), "TimeSort", std::move(input)),
      millis_(millis),
      rows_(output) {}

void TimeSort::on_batch(const Batch& batch) {
    const auto& times = *batch.columns.back();
    batch.selection.for_each([&](std::size_t row) {
        if (times.is_null(row)) return;
        const auto time = times.int_at(row);
        if (time < released_)
            return reject(
                batch, row, "RowTooLate",
                fmt::format("This row's time is more than {} ms before that of another.", millis_));
        rows_.add(batch, row, time);
        released_ = std::max(released_, time - millis_);
    });
    release();
    pass_bound(released_);
}

void TimeSort::release() {
    rows_.release(released_, [this](const Batch& batch) { emit(batch); });
}

void TimeSort::on_bound(std::int64_t bound) {
    if (bound != kEndOfTime) return;
    released_ = kEndOfTime;
    release();
    pass_bound(bound);
}

void TimeSort::save(StateWriter& to) const {
    to.put_int(released_);
    rows_.save(to);
}

void TimeSort::load(StateReader& from) {
    released_ = from.take_int();
    rows_.load(from);
}

}  // namespace tidemill::sql

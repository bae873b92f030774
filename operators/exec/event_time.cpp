#include "operators/exec/event_time.h"

#include <algorithm>

namespace tidemill::sql {

EventTime::EventTime(const Schema& schema, const Schema& late, Watermark watermark, Outlets outlets)
    : spec_(watermark), outlets_(std::move(outlets)), rows_(schema), late_(late) {}

void EventTime::push(const Batch& batch) {
    const auto& times = *batch.columns[spec_.column];
    const auto columns = late_.columns.size() - 1;
    batch.selection.for_each([&](std::size_t row) {
        last_arrival_ = batch.rowtime->int_at(row);
        if (times.is_null(row)) return outlets_.without_time(batch, row);
        const auto time = times.int_at(row);
        if (time >= watermark_) {
            rows_.add(batch, row, time);
            latest_ = std::max(latest_, time);
            watermark_ = std::max(watermark_, latest_ - spec_.delay);
            return;
        }
        for (std::size_t c = 0; c < columns; ++c)
            late_.columns[c].append_from(*batch.columns[c], row);
        late_.columns[columns].append_int(watermark_ - time);
        late_.rowtime.append_int(last_arrival_);
        if (!late_.is_full()) return;
        outlets_.late(late_.view());
        late_.clear();
    });
    if (late_.size() > 0) outlets_.late(late_.view());
    late_.clear();
    rows_.release(watermark_, outlets_.in_order);
}

std::int64_t EventTime::advance(std::int64_t arrivals) {
    if (arrivals == INT64_MAX) {
        watermark_ = arrivals;
    } else if (spec_.idle_timeout > 0 && latest_ != INT64_MIN &&
               arrivals - last_arrival_ >= spec_.idle_timeout) {
        watermark_ = std::max(watermark_, latest_ - spec_.delay + (arrivals - last_arrival_));
    }
    rows_.release(watermark_, outlets_.in_order);
    return watermark_;
}

void EventTime::save(StateWriter& to) const {
    for (const auto time : {watermark_, latest_, last_arrival_})
        to.put_int(time);
    rows_.save(to);
}

void EventTime::load(StateReader& from) {
    for (auto* time : {&watermark_, &latest_, &last_arrival_})
        *time = from.take_int();
    rows_.load(from);
}

}  // namespace tidemill::sql

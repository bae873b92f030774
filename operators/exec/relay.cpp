#include "operators/exec/relay.h"

#include <algorithm>

#include <fmt/format.h>

#include "operators/connect/row_encoder.h"
#include "operators/vector/time_text.h"

namespace tidemill::sql {

Relay::Relay(ExecContext& context, std::string name, Schema schema)
    : context_(context), name_(std::move(name)), schema_(std::move(schema)) {}

void Relay::follow_event_time(const Watermark& watermark, Relay& late) {
    late_ = &late;
    late_writer_ = late.add_writer();
    event_time_ = std::make_unique<EventTime>(
        schema_, late.schema_, watermark,
        EventTime::Outlets{
            .in_order = [this](const Batch& batch) { deliver(batch); },
            .late = [this](const Batch& batch) { late_->push(late_writer_, batch); },
            .without_time = [this](const Batch& batch,
                                   std::size_t row) { reject_timeless(batch, row); }});
}

void Relay::seal() {
    if (writer_count_ > 1)
        merge_.emplace(schema_, writer_count_, [this](const Batch& batch) { arrive(batch); });
}

void Relay::push(std::size_t writer, const Batch& batch) {
    if (merge_)
        merge_->push(writer, batch);
    else
        arrive(batch);
}

void Relay::arrive(const Batch& batch) {
    if (event_time_)
        event_time_->push(batch);
    else
        deliver(batch);
}

void Relay::advance(std::size_t writer, std::int64_t bound) {
    if (merge_) {
        merge_->advance(writer, bound);
        bound = merge_->bound();
    }
    if (event_time_) {
        late_->advance(late_writer_, bound);
        bound = event_time_->advance(bound);
    }
    if (bound <= bound_) return;
    bound_ = bound;
    last_rowtime_ = std::max(last_rowtime_, bound);
    for (auto* reader : readers_)
        reader->advance(bound);
    for (const auto& callback : bound_callbacks_)
        callback(bound);
}

void Relay::deliver(const Batch& batch) {
    Batch out = batch;
    // Nearly always everything ascends; only then is no list of rows needed.
    auto last = last_rowtime_;
    bool is_ascending = true;
    batch.selection.for_each([&](std::size_t row) {
        const auto time = batch.rowtime->int_at(row);
        is_ascending &= time >= last;
        last = time;
    });
    if (!is_ascending) {
        ascending_.clear();
        last = last_rowtime_;
        batch.selection.for_each([&](std::size_t row) {
            const auto time = batch.rowtime->int_at(row);
            if (time < last) return reject_late(batch, row);
            last = time;
            ascending_.push_back(static_cast<RowIndex>(row));
        });
        out.selection = Selection::of(ascending_);
    }
    if (out.size() == 0) return;
    last_rowtime_ = last;
    context_.latest_rowtime = std::max(context_.latest_rowtime, last);
    rows_ += out.size();
    for (const auto& callback : rows_callbacks_)
        callback(out);
    for (auto* reader : readers_)
        reader->push(out);
}

void Relay::show(const Batch& batch) {
    rows_ += batch.size();
    for (const auto& callback : rows_callbacks_)
        callback(batch);
}

void Relay::reject_timeless(const Batch& batch, std::size_t row) {
    RejectedRow rejected;
    rejected.name = "NULL_ROWTIME";
    rejected.data_rowtime = batch.rowtime->int_at(row);
    rejected.message = fmt::format("A row of {} has no event time.", name_);
    append_csv_row(rejected.data, schema_, batch, row);
    context_.rejected.push_back(std::move(rejected));
}

void Relay::reject_late(const Batch& batch, std::size_t row) {
    RejectedRow rejected;
    rejected.name = "OUT_OF_ORDER";
    rejected.data_rowtime = batch.rowtime->int_at(row);
    rejected.message = fmt::format("A row of {} is earlier than the stream has come: ", name_);
    append_timestamp(rejected.message, *rejected.data_rowtime);
    rejected.message += '.';
    append_csv_row(rejected.data, schema_, batch, row);
    context_.rejected.push_back(std::move(rejected));
}

void Relay::save(StateWriter& to) const {
    to.put_int(last_rowtime_);
    to.put_int(bound_);
    to.put_count(rows_);
    if (merge_) merge_->save(to);
    if (event_time_) event_time_->save(to);
}

void Relay::load(StateReader& from) {
    last_rowtime_ = from.take_int();
    bound_ = from.take_int();
    rows_ = from.take_count();
    if (merge_) merge_->load(from);
    if (event_time_) event_time_->load(from);
}

}  // namespace tidemill::sql

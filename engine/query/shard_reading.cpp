// ApplicationFeed: from the records of a shard to rows of the application.
#include <algorithm>

#include <fmt/format.h>

#include "engine/query/application_feed.h"
#include "engine/reactor/turn.h"
#include "engine/service/sequence.h"
#include "operators/connect/kpl_aggregate.h"
#include "operators/vector/batch.h"

namespace tidemill::query {
namespace {

constexpr std::size_t kSampleBytes = 64 * 1024;

}  // namespace

Task<Status> ApplicationFeed::find_input_columns(Input& input, bool may_wait,
                                                 const std::function<bool()>& is_wanted) {
    for (;;) {
        CO_ASSIGN(const auto stream, service_.find_stream(input.definition.stream));
        CO_ASSIGN(const auto records, co_await sample(*stream));
        if (!records.empty()) {
            CO_ASSIGN(input.columns, find_columns(input.definition.layout, records));
            co_return Status{};
        }
        if (!may_wait)
            co_return fail(Errc::Unavailable,
                           fmt::format("stream {} has no record yet that the columns of \"{}\" "
                                       "could be found in: declare them",
                                       stream->name, input.definition.name));
        if (!is_wanted()) co_return fail(Errc::Cancelled, "stopped while waiting for a record");
        co_await reactor_.sleep_until(mono_now() + limits_.idle_tick);
    }
}

/// The first records of a stream, a few of each shard.
Task<Result<std::vector<std::string>>> ApplicationFeed::sample(const StreamInfo& stream) {
    std::vector<std::string> records;
    BatchOpener opener;
    for (const ShardInfo& shard : stream.shards) {
        ReadLimits read_limits;
        read_limits.bytes = kSampleBytes;
        read_limits.records = limits::kSampleRows;
        CO_ASSIGN(const auto read, co_await service_.read(shard.uid, 0, read_limits));
        for (const auto& slice : read.batches) {
            CO_ASSIGN(const auto batch, RecordBatchView::parse_stamped(slice.bytes));
            RecordCursor cursor = opener.open(batch);
            RecordView record;
            while (records.size() < limits::kSampleRows && cursor.next(record))
                records.emplace_back(as_text(record.data));
        }
        if (records.size() >= limits::kSampleRows) break;
    }
    co_return records;
}

Task<bool> ApplicationFeed::pause(std::chrono::milliseconds& delay) {
    const auto until = mono_now() + delay;
    delay = std::min(delay * 2, limits_.retry_last);
    co_return co_await gate_.sleep_until(until);
}

Task<void> ApplicationFeed::read_shard(Input& input, Shard& shard) {
    auto delay = limits_.retry_first;
    while (!gate_.is_closed()) {
        const WallTime asked = wall_now();
        ReadLimits read_limits;
        read_limits.bytes = limits_.read_bytes;
        const auto read = co_await service_.read(shard.info.uid, shard.next, read_limits);
        if (!read) {
            shard.trouble = fmt::format("stream {} {}: {}", input.definition.stream,
                                        shard_id_text(shard.info.index), read.error().to_string());
            if (!co_await pause(delay)) co_return;
            continue;
        }
        shard.trouble.clear();
        delay = limits_.retry_first;
        for (const auto& slice : read->batches) {
            const auto batch = RecordBatchView::parse_stamped(slice.bytes);
            if (batch)
                co_await push_batch(input, shard, *batch);
            else
                shard.trouble = batch.error().to_string();
            if (gate_.is_closed()) co_return;
        }
        if (input.rows.size() + rejected_.size() != 0) co_await end_slice(input, shard);
        shard.next = std::max(shard.next, read->next);
        if (shard.next < read->tail.end) continue;
        shard.is_behind = false;
        shard.clear_until = std::max(shard.clear_until, to_millis(asked));
        if (read->tail.is_sealed) break;
        const auto tail =
            co_await service_.wait_tail(shard.info.uid, shard.next, mono_now() + limits_.idle_tick);
        shard.is_behind = tail && tail->end > shard.next;
    }
    if (!gate_.is_closed()) shard.is_finished = true;
}

Task<void> ApplicationFeed::push_batch(Input& input, Shard& shard, RecordBatchView batch) {
    if (batch.header().codec == static_cast<std::uint8_t>(Codec::None))
        co_await push_records(input, shard, batch, RecordCursor(batch));
    else
        co_await push_compressed(input, shard, batch);
}

Task<void> ApplicationFeed::push_compressed(Input& input, Shard& shard, RecordBatchView batch) {
    // Others may push while this waits.
    if (input.rows.size() + rejected_.size() != 0) co_await end_slice(input, shard);
    BatchOpener opener;
    while (!co_await openers_.take(opener, mono_now() + limits_.retry_last))
        if (gate_.is_closed()) co_return;
    co_await push_records(input, shard, batch, opener.open(batch));
    openers_.give_back(std::move(opener));
}

/// Decodes the records of one batch and pushes whenever a slice is full; what is left is pushed
/// with the next batch. Nothing suspends between decoding a row and pushing it: positions, bounds
/// and the application's state always agree when somebody else runs.
Task<void> ApplicationFeed::push_records(Input& input, Shard& shard, RecordBatchView batch,
                                         RecordCursor cursor) {
    if (input.preprocessing) {
        co_await push_processed(input, shard, batch, std::move(cursor));
        co_return;
    }
    RecordView record;
    while (cursor.next(record)) {
        if (cursor.ordinal() < shard.next) continue;
        begin_slice(input, shard);
        decode(input, shard, record, cursor.ordinal(), cursor.arrival());
        shard.next = cursor.ordinal() + 1;
        shard.clear_until = std::max(shard.clear_until, to_millis(cursor.arrival()));
        if (input.rows.size() + rejected_.size() < slice_rows_) continue;
        co_await end_slice(input, shard);
        if (gate_.is_closed()) co_return;
    }
    if (!cursor.status()) report_unreadable(input, shard, batch, cursor.status().error());
}

/// A producer wrote what is no records: the error stream says which, and the shard goes on behind.
void ApplicationFeed::report_unreadable(Input& input, Shard& shard, const RecordBatchView& batch,
                                        const Error& error) {
    if (batch.end_ordinal() <= shard.next) return;
    begin_slice(input, shard);
    const std::uint64_t lost = batch.end_ordinal() - shard.next;
    sql::RejectedRow row;
    row.name = "UNREADABLE_BATCH";
    row.message =
        fmt::format("{} records of stream {} {} from {} on: {}", lost, input.definition.stream,
                    shard_id_text(shard.info.index), shard.next, error.message);
    row.data_rowtime = to_millis(batch.arrival());
    rejected_.push_back(std::move(row));
    rows_refused_ += lost - 1;  // the row itself is counted with the others
    shard.next = batch.end_ordinal();
}

/// Pushes, lets others work, and waits while too many rows are on their way out.
Task<void> ApplicationFeed::end_slice(Input& input, Shard& shard) {
    const std::size_t rows = input.rows.size();
    push_rows(input, shard);
    if (rows != 0) {
        const auto took = mono_now() - slice_began_;
        const auto fitting = static_cast<std::size_t>(
            limits_.slice * static_cast<std::int64_t>(rows) / (took + 1ns));
        slice_rows_ =
            std::clamp(fitting, std::size_t{1}, std::min(slice_rows_ * 2, sql::kBatchRows));
    }
    co_await next_turn(reactor_);
    while (pending_ >= limits_.rows_in_flight_max && !gate_.is_closed())
        co_await room_.wait_until(mono_now() + limits_.retry_last);
}

void ApplicationFeed::decode(Input& input, const Shard& shard, const RecordView& record,
                             Ordinal ordinal, WallTime arrival) {
    const std::string shard_id = shard_id_text(shard.info.index);
    std::string sequence_number;
    if (input.decoder->wants_sequence_number())
        sequence_number = sequence_of(shard.info, ordinal, arrival).to_string();
    sql::RecordMetadata metadata{to_millis(arrival), to_millis(arrival), record.partition_key,
                                 sequence_number, shard_id};
    const auto aggregate = sql::open_kpl_aggregate(as_text(record.data));
    if (!aggregate) {
        input.decoder->decode(as_text(record.data), metadata, input.bound, input.rows, rejected_);
        return;
    }
    for (const auto& inner : *aggregate) {
        metadata.partition_key = inner.partition_key;
        input.decoder->decode(inner.data, metadata, input.bound, input.rows, rejected_);
    }
}

/// Before the first row of a slice.
void ApplicationFeed::begin_slice(Input& input, const Shard& shard) {
    if (input.rows.size() + rejected_.size() != 0) return;
    slice_began_ = mono_now();
    input.slice_from = shard.next;
}

void ApplicationFeed::push_rows(Input& input, Shard& shard) {
    if (input.rows.size() + rejected_.size() == 0) return;
    set_clock(to_millis(wall_now()));
    if (journal_ != nullptr)
        journal_->add({.kind = JournalEntry::Kind::Slice,
                       .input = number_of(input),
                       .shard = shard.info.uid,
                       .from = input.slice_from,
                       .to = shard.next,
                       .now = clock_});
    push_decoded(input);
}

void ApplicationFeed::push_decoded(Input& input) {
    if (!rejected_.empty()) {
        rows_refused_ += rejected_.size();
        application_->reject(rejected_);
        rejected_.clear();
    }
    if (input.rows.size() == 0) return;
    rows_in_ += input.rows.size();
    application_->push_rows(input.stream, input.rows);
    input.rows.clear();
}

}  // namespace tidemill::query

#include "engine/query/output_writer.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/service/append_group.h"
#include "operators/connect/row_encoder.h"
#include "operators/sql/nearest_name.h"
#include "proto/wire_limits.h"

namespace tidemill::query {

Status OutputWriter::check(const OutputDefinition& output, const sql::Schema& schema) {
    if (output.key_column.empty() || schema.find(output.key_column)) return {};
    std::vector<std::string> names;
    for (const auto& field : schema.fields)
        names.push_back(field.name);
    return fail(
        Errc::NotFound,
        fmt::format("stream \"{}\" has no column \"{}\" for the partition key.{}", output.name,
                    output.key_column, sql::did_you_mean(output.key_column, names)));
}

OutputWriter::OutputWriter(StreamService& service, Reactor& reactor, const QueryLimits& limits,
                           OutputDefinition output, sql::Schema schema, std::uint64_t rows_before,
                           OutputPosition from, Hooks hooks)
    : service_(service),
      reactor_(reactor),
      limits_(limits),
      output_(std::move(output)),
      schema_(std::move(schema)),
      hooks_(std::move(hooks)),
      key_column_(schema_.find(output_.key_column)),
      taken_(rows_before),
      acknowledged_(rows_before),
      numbers_(from),
      position_(std::move(from)) {
    if (position_.producer == 0) position_ = {numbers_.producer(), {}};
}

void OutputWriter::start() { reactor_.spawn(gate_, run()); }

void OutputWriter::take(const sql::Batch& batch) {
    batch.selection.for_each([&](std::size_t row) {
        Row place{};
        place.key = waiting_.text.size();
        if (key_column_) {
            std::string key = sql::cell_text(*batch.columns[*key_column_], row);
            if (key.empty()) key = "NULL";
            key.resize(std::min(key.size(), wire_limits::kPartitionKeyBytesMax / 4));
            waiting_.text += key;
        } else {
            fmt::format_to(std::back_inserter(waiting_.text), "{}", taken_);
        }
        place.data = waiting_.text.size();
        if (output_.format == sql::RecordFormat::Csv)
            sql::append_csv_row(waiting_.text, schema_, batch, row, output_.delimiter);
        else
            sql::append_json_row(waiting_.text, schema_, batch, row);
        place.end = waiting_.text.size();
        place.number = taken_;
        waiting_.rows.push_back(place);
        ++taken_;
    });
    changed_.notify_all();
}

Task<bool> OutputWriter::wait_acknowledged(std::uint64_t taken, MonoTime deadline) {
    while (acknowledged_ < taken) {
        if (is_stopped_ || reactor_.clock().mono_now() >= deadline) co_return false;
        co_await changed_.wait_until(deadline);
    }
    // Nothing was written behind the mark yet: the numbers are those of that moment.
    TM_CHECK(acknowledged_ == mark_, "{} rows are acknowledged, {} are marked", acknowledged_,
             mark_);
    if (const auto stream = service_.find_stream(output_.stream))
        position_ = numbers_.settle(**stream);
    mark_ = kNoMark;
    changed_.notify_all();
    co_return true;
}

Task<void> OutputWriter::stop() {
    if (std::exchange(is_stopped_, true)) co_return;
    changed_.notify_all();
    co_await gate_.close();
}

Task<void> OutputWriter::run() {
    while (!is_stopped_) {
        if (waiting_.rows.empty()) {
            co_await changed_.wait_until(MonoTime::max());
            continue;
        }
        auto rows = std::exchange(waiting_, {});
        if (hooks_.recorded && !co_await hooks_.recorded()) co_return;
        co_await write(std::move(rows));
    }
}

/// Writes all rows, in runs of the limit.
Task<void> OutputWriter::write(Rows rows) {
    auto delay = limits_.retry_first;
    while (!rows.rows.empty() && !is_stopped_) {
        if (rows.rows.front().number >= mark_) {
            co_await changed_.wait_until(MonoTime::max());  // until the checkpoint has its numbers
            continue;
        }
        const std::size_t before = rows.rows.size();
        const Status status = co_await write_once(rows);
        const std::size_t settled = before - rows.rows.size();
        acknowledged_ += settled;
        if (settled != 0) {
            hooks_.settled(settled);
            changed_.notify_all();
            delay = limits_.retry_first;
        }
        trouble_.clear();
        if (status) continue;
        trouble_ = fmt::format("stream {}: {}", output_.stream, status.error().to_string());
        const auto until = reactor_.clock().mono_now() + delay;
        delay = std::min(delay * 2, limits_.retry_last);
        if (!co_await gate_.sleep_until(until)) co_return;
    }
}

struct OutputWriter::ShardRows {
    const ShardInfo* shard;
    std::vector<std::size_t> rows;  ///< places in the write
    std::size_t stored = 0;         ///< of them, from the first one on
};

Status OutputWriter::check_row(const StreamInfo& stream, const Row& row) {
    if (row.end - row.data <= stream.max_record_bytes) return {};
    return fail(Errc::TooLarge,
                fmt::format("a record of stream {} has at most {} bytes of data, not {}",
                            stream.name, stream.max_record_bytes, row.end - row.data));
}

void OutputWriter::refuse(const Rows& rows, const Row& row, const Error& error) {
    sql::RejectedRow refused;
    refused.name = "OUTPUT_REFUSED";
    refused.message = error.message;
    refused.data = std::string_view(rows.text).substr(row.data, row.end - row.data);
    hooks_.refused(std::move(refused));
}

/// One write of the first rows; those that are settled leave `rows`, the others keep their order.
/// Errors: the last that may pass.
Task<Status> OutputWriter::write_once(Rows& rows) {
    CO_ASSIGN(const auto stream, service_.find_stream(output_.stream));
    if (!has_asked_) {
        CO_TRY(co_await numbers_.ask_all(service_, *stream));
        has_asked_ = true;
    }
    std::size_t count = std::min(rows.rows.size(), limits_.put_records_max);
    while (rows.rows[count - 1].number >= mark_)
        --count;
    const std::string_view text = rows.text;
    std::vector<ShardRows> parts;
    std::vector<char> is_settled(count, 0);
    for (std::size_t i = 0; i < count; ++i) {
        const Row& row = rows.rows[i];
        if (const auto fits = check_row(*stream, row); !fits) {
            refuse(rows, row, fits.error());
            is_settled[i] = 1;
            continue;
        }
        const auto hash = stream->distribution == RecordDistribution::Auto
                              ? hash_partition_key(std::to_string(row.number))
                              : hash_partition_key(text.substr(row.key, row.data - row.key));
        const auto place = numbers_.place(*stream, hash);
        if (place.is_stored) {
            numbers_.advance(place.shard->uid, 1);
            is_settled[i] = 1;
            continue;
        }
        auto part = std::ranges::find(parts, place.shard, &ShardRows::shard);
        if (part == parts.end()) part = parts.insert(part, ShardRows{place.shard, {}, 0});
        part->rows.push_back(i);
    }
    const Status status = co_await append(rows, parts);
    for (const auto& part : parts)
        for (std::size_t k = 0; k < part.stored; ++k)
            is_settled[part.rows[k]] = 1;
    std::vector<Row> left;
    for (std::size_t i = 0; i < count; ++i)
        if (is_settled[i] == 0) left.push_back(rows.rows[i]);
    rows.rows.erase(rows.rows.begin(), rows.rows.begin() + static_cast<std::ptrdiff_t>(count));
    rows.rows.insert(rows.rows.begin(), left.begin(), left.end());
    co_return status;
}

/// Appends the rows of each shard in their order, all shards at once. Where the end of a batch is
/// not known the log is asked: what it has counts as stored when the next write comes to it.
/// Errors: the last of a shard.
Task<Status> OutputWriter::append(const Rows& rows, std::vector<ShardRows>& parts) {
    struct Batch {
        ShardRows* part;
        std::size_t end;  // place in the part's rows
        std::uint32_t records;
        std::size_t bytes;
        const AppendOp* op;
    };
    const std::string_view text = rows.text;
    std::vector<Batch> batches;
    AppendGroup appends;
    Status status;
    for (auto& part : parts) {
        const auto writer = service_.writer(part.shard->uid);
        if (!writer) {
            status = std::unexpected(writer.error());
            continue;
        }
        auto number = numbers_.next(part.shard->uid);
        for (std::size_t next = 0; next < part.rows.size();) {
            builder_.clear();
            std::size_t bytes = 0;
            for (; next < part.rows.size(); ++next) {
                const Row& row = rows.rows[part.rows[next]];
                const auto size = record_bytes(row.data - row.key, row.end - row.data, 0);
                if (!builder_.is_empty() && builder_.bytes() + size > wire_limits::kBatchBytesMax)
                    break;
                builder_.add(text.substr(row.key, row.data - row.key),
                             as_bytes(text.substr(row.data, row.end - row.data)));
                bytes += row.end - row.key;
            }
            const auto records = builder_.record_count();
            const auto& op = appends.submit(**writer, part.shard->uid,
                                            builder_.finish(numbers_.producer(), number));
            batches.push_back({&part, next, records, bytes, &op});
            number += records;
        }
    }
    co_await appends.wait();
    std::vector<ShardUid> in_doubt;
    for (const auto& batch : batches) {
        const auto shard = batch.part->shard->uid;
        auto* const counts = service_.shard_counts(shard);
        const auto& result = batch.op->result;
        if (result.outcome == Outcome::Committed &&
            std::ranges::find(in_doubt, shard) == in_doubt.end()) {
            if (counts != nullptr) counts->count_written(batch.records, batch.bytes);
            numbers_.advance(shard, batch.records);
            batch.part->stored = batch.end;
            continue;
        }
        if (result.outcome == Outcome::Committed) continue;  // asked for below
        if (counts != nullptr && result.error.code == Errc::Throttled) ++counts->writes_refused;
        status = std::unexpected(result.error);
        in_doubt.push_back(shard);
    }
    // Even a closed shard knows what it holds.
    for (const auto shard : in_doubt)
        CO_TRY(co_await numbers_.ask(service_, shard));
    co_return status;
}

}  // namespace tidemill::query

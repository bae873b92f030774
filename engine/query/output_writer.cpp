#include "engine/query/output_writer.h"

#include <algorithm>

#include <fmt/format.h>

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
                           Hooks hooks)
    : service_(service),
      reactor_(reactor),
      limits_(limits),
      output_(std::move(output)),
      schema_(std::move(schema)),
      hooks_(std::move(hooks)),
      key_column_(schema_.find(output_.key_column)),
      taken_(rows_before),
      acknowledged_(rows_before) {}

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
    co_return true;
}

Task<void> OutputWriter::stop() {
    if (std::exchange(is_stopped_, true)) co_return;
    changed_.notify_all();
    co_await gate_.close();
}

Task<void> OutputWriter::run() {
    while (!is_stopped_) {
        if (waiting_.rows.empty())
            co_await changed_.wait_until(MonoTime::max());
        else
            co_await write(std::exchange(waiting_, {}));
    }
}

/// Writes all rows, in runs of the limit.
Task<void> OutputWriter::write(Rows rows) {
    auto delay = limits_.retry_first;
    while (!rows.rows.empty() && !is_stopped_) {
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

/// One write of the first rows; those that are settled leave `rows`, the others keep their order.
/// Errors: the last that may pass.
Task<Status> OutputWriter::write_once(Rows& rows) {
    CO_ASSIGN(const auto stream, service_.find_stream(output_.stream));
    const std::size_t count = std::min(rows.rows.size(), limits_.put_records_max);
    const std::string_view text = rows.text;
    std::vector<PutRecord> records(count);
    for (std::size_t i = 0; i < count; ++i) {
        const Row& row = rows.rows[i];
        records[i].partition_key = text.substr(row.key, row.data - row.key);
        records[i].data = as_bytes(text.substr(row.data, row.end - row.data));
    }
    const auto outcomes = co_await service_.put_records(*stream, std::move(records));
    Status status;
    std::vector<Row> left;
    for (std::size_t i = 0; i < count; ++i) {
        const AppendResult& append = outcomes[i].append;
        if (append.outcome == Outcome::Committed) continue;
        const Row& row = rows.rows[i];
        if (append.error.code == Errc::TooLarge || append.error.code == Errc::InvalidArgument) {
            sql::RejectedRow refused;
            refused.name = "OUTPUT_REFUSED";
            refused.message = append.error.message;
            refused.data = text.substr(row.data, row.end - row.data);
            hooks_.refused(std::move(refused));
            continue;
        }
        // Fenced, full, throttled, unknown: once more. An unknown outcome may then be written
        // twice.
        status = std::unexpected(append.error);
        left.push_back(row);
    }
    rows.rows.erase(rows.rows.begin(), rows.rows.begin() + static_cast<std::ptrdiff_t>(count));
    rows.rows.insert(rows.rows.begin(), left.begin(), left.end());
    co_return status;
}

}  // namespace tidemill::query

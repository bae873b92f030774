#include "operators/connect/schema_decoder.h"

#include <cmath>

#include <fmt/format.h>

namespace tidemill::sql {
namespace {

// A column that the row's text does not name: NULL, or the metadata that a hidden field bears the
// name of.
void append_absent(Column& column, const Field& field, const RecordMetadata& metadata) {
    if (!field.is_hidden)
        column.append_null();
    else if (field.name == kArrivalTime)
        column.append_int(metadata.arrival_time);
    else if (field.name == "PARTITION_KEY")
        column.append_text(metadata.partition_key);
    else if (field.name == "SEQUENCE_NUMBER")
        column.append_text(metadata.sequence_number);
    else if (field.name == "SHARD_ID")
        column.append_text(metadata.shard_id);
    else
        column.append_null();
}

}  // namespace

bool SchemaDecoder::decode(std::string_view row, const RecordMetadata& metadata, RowBatch& rows,
                           RejectedRow& bad) {
    const std::size_t before = rows.size();
    is_set_.assign(schema_.size(), 0);
    bool is_whole = fill(row, rows, bad);
    if (is_whole) {
        for (std::size_t i = 0; i < schema_.size(); ++i)
            if (is_set_[i] == 0) append_absent(rows.columns[i], schema_[i], metadata);
        is_whole = has_what_it_must(rows, before, bad) &&
                   append_rowtime(rows, before, metadata.rowtime, bad);
    }
    if (!is_whole) {
        rows.truncate(before);
        bad.data = row;
    }
    return is_whole;
}

/// Columns that are NOT NULL have a value.
bool SchemaDecoder::has_what_it_must(const RowBatch& rows, std::size_t row,
                                     RejectedRow& bad) const {
    for (const std::size_t i : required_) {
        if (!rows.columns[i].is_null(row)) continue;
        bad.name = "NOT_NULL";
        bad.message = fmt::format("column \"{}\" is NOT NULL and has no value", schema_[i].name);
        return false;
    }
    return true;
}

bool SchemaDecoder::append_rowtime(RowBatch& rows, std::size_t row, std::int64_t given,
                                   RejectedRow& bad) const {
    if (!rowtime_) {
        rows.rowtime.append_int(given);
        return true;
    }
    const Column& source = rows.columns[*rowtime_];
    const Type& type = source.type();
    if (!source.is_null(row) &&
        (type.kind == TypeKind::Timestamp || type.kind == TypeKind::Date || type.is_integer())) {
        rows.rowtime.append_int(source.int_at(row));
        return true;
    }
    if (!source.is_null(row) && type.is_approximate() && std::abs(source.double_at(row)) < 0x1p63) {
        rows.rowtime.append_int(static_cast<std::int64_t>(source.double_at(row)));
        return true;
    }
    bad.name = "ROWTIME_ERROR";
    bad.message = fmt::format("column \"{}\" gives no time for this row", schema_[*rowtime_].name);
    return false;
}

}  // namespace tidemill::sql

#pragma once

#include "operators/connect/row_decoder.h"

namespace tidemill::sql {

std::unique_ptr<RowDecoder> make_json_decoder(const Schema& schema,
                                              std::optional<std::size_t> rowtime_column);

/// A column that the row's text does not name: NULL, or the metadata that a hidden field bears the
/// name of.
void append_absent(Column& column, const Field& field, const RecordMetadata& metadata);

/// Completes row number `row`, whose columns are appended, with its ROWTIME: `given`, or the value
/// of `column`. False when that gives no time.
bool append_rowtime(RowBatch& rows, std::size_t row, std::int64_t given,
                    std::optional<std::size_t> column, const Schema& schema, RejectedRow& bad);

}  // namespace tidemill::sql

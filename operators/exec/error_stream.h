#pragma once

#include "operators/connect/rejected_row.h"
#include "operators/vector/batch.h"

namespace tidemill::sql {

inline constexpr std::string_view kErrorStream = "error_stream";

/// ERROR_TIME, ERROR_LEVEL, ERROR_NAME, MESSAGE, DATA_ROWTIME, DATA_ROW (hex), PUMP_NAME.
/// Source: Kinesis Data Analytics developer guide, "Error Handling".
Schema error_stream_schema();
/// Appends one row; texts are cut to the columns' lengths.
void append_error_row(RowBatch& to, const RejectedRow& rejected, std::int64_t error_time);

}  // namespace tidemill::sql

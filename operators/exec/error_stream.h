#pragma once

#include "operators/connect/rejected_row.h"
#include "operators/plan/stream_catalog.h"
#include "operators/vector/batch.h"

namespace tidemill::sql {

/// Appends one row; texts are cut to the columns' lengths.
void append_error_row(RowBatch& to, const RejectedRow& rejected, std::int64_t error_time);

}  // namespace tidemill::sql

#pragma once

#include "engine/base/result.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"
#include "proto/sql_generated.h"

namespace tidemill::console {

/// The rows and columns of a broker's answer. Errors: Corrupt when lengths or types do not agree.
Result<sql::Schema> schema_of(const wire::SqlStreamHead& head);
Result<sql::RowBatch> rows_of(const sql::Schema& schema, const wire::SqlRows& rows);

}  // namespace tidemill::console

#pragma once

#include <memory>

#include "operators/exec/application.h"

namespace tidemill::nexmark {

/// The reference table of q13, SIDE_INPUT (KEY BIGINT, VALUE VARCHAR): keys 0 to 9,999.
sql::TableInfo side_input_table();
std::shared_ptr<const sql::RowBatch> side_input_rows();

}  // namespace tidemill::nexmark

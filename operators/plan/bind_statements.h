#pragma once

#include <span>
#include <string_view>

#include "operators/plan/plan.h"
#include "operators/sql/sql_error.h"

namespace tidemill::sql {

/// Parses and binds a whole application over the given input streams, and the reference tables
/// whose columns are known from outside. Errors: see SqlError; the first one found.
SqlResult<ApplicationPlan> plan_application(std::string_view sql_text,
                                            std::span<const CatalogStream> inputs,
                                            std::span<const CatalogTable> tables = {});

}  // namespace tidemill::sql

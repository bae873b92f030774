#pragma once

#include <string>

#include "engine/analytics/analytics_application.h"
#include "engine/aws/api_error.h"
#include "engine/query/application_definition.h"

namespace tidemill::analytics {

/// What engine/query is to run. Where inputs begin is what their `start` says (LAST_STOPPED_POINT
/// counts as NOW: it is the checkpoint that goes on). Errors: InvalidArgumentException, saying
/// which member is wrong.
aws::ApiResult<query::ApplicationDefinition> definition_of(const AnalyticsApplication& application);

/// The application's name in engine/query: names are of an account, there of the broker.
std::string query_name(std::string_view account, std::string_view name);

// Checks of single parts, as they come in. Errors: InvalidArgumentException.
aws::ApiStatus check_input(const aws::Value& input);
aws::ApiStatus check_output(const aws::Value& output);
aws::ApiStatus check_reference(const aws::Value& reference);

/// Whether the SQL text can be run over the inputs that there are. Errors:
/// CodeValidationException with line, column and caret.
aws::ApiStatus check_code(const AnalyticsApplication& application);

}  // namespace tidemill::analytics

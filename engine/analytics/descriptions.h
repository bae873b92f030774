#pragma once

#include <string_view>

#include "engine/analytics/analytics_application.h"
#include "engine/aws/api_error.h"

namespace tidemill::analytics {

/// The two versions of the API; they differ in names, not in what an application is.
enum class ApiVersion : std::uint8_t { V1, V2 };

// A part as DescribeApplication shows it.
aws::Value describe_input(const Part& part);
aws::Value describe_output(const Part& part);
aws::Value describe_reference(const Part& part);
aws::Value describe_logging(const Part& part);

/// The list of descriptions of all parts.
aws::Value describe_all(const std::vector<Part>& parts, aws::Value (*describe)(const Part&));

/// ApplicationDetail. `arn` and `status` are of now.
aws::Value describe_application(const AnalyticsApplication& application, ApiVersion api,
                                std::string_view arn, std::string_view status);
/// ApplicationSummary.
aws::Value summarize_application(const AnalyticsApplication& application, ApiVersion api,
                                 std::string_view arn, std::string_view status);
/// Changes with every version: what optimistic clients of version 2 send back.
std::string conditional_token(const AnalyticsApplication& application);

/// Applies an ...Update structure to a document: `XUpdate` replaces or, where it is a structure of
/// updates itself, changes `X`. Ids are left alone.
void apply_update(aws::Value& document, const aws::Value& update);

}  // namespace tidemill::analytics

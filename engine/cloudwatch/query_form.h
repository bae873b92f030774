#pragma once

#include <optional>
#include <string_view>

#include "engine/aws/value.h"

namespace tidemill::cloudwatch {

/// A body of the AWS Query protocol as a document: "MetricData.member.1.Value=5" is an element of a
/// list in a map. All leaves are texts; an empty one stands for an empty list, too. Nothing when it
/// is not UTF-8, has a broken %-escape, nests too deeply, has too many members, or one place as
/// text and as structure. Pure.
std::optional<aws::Value> parse_query_form(std::string_view body);

/// The value of one top-level parameter as it stands in the body, still escaped; empty without.
std::string_view raw_parameter(std::string_view body, std::string_view name);

}  // namespace tidemill::cloudwatch

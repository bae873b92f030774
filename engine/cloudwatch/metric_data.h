#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/aws/api_error.h"
#include "engine/aws/value.h"
#include "engine/base/time.h"

namespace tidemill::cloudwatch {

/// One datum of a PutMetricData: any number of samples, as what is shown of them.
struct MetricDatum {
    std::string name;
    std::vector<std::pair<std::string, std::string>> dimensions{};
    std::string unit = "None";
    std::optional<WallTime> time{};
    double samples = 0, sum = 0, minimum = 0, maximum = 0;
};

struct MetricData {
    std::string name_space;
    std::vector<MetricDatum> data{};
};

/// What a request says, from a document in any of the wire forms (numbers and times as such, or as
/// texts). Pure. Errors: InvalidParameterValueException, MissingRequiredParameterException and
/// InvalidParameterCombinationException in CloudWatch's words.
aws::ApiResult<MetricData> metric_data_of(const aws::Value& request, WallTime now);

/// "2026-07-11T08:30:00.250Z"; nothing when it is no such time.
std::optional<WallTime> parse_iso_time(std::string_view text);

namespace limits {
// Source: the CloudWatch API reference, PutMetricData.
constexpr std::size_t kData = 1000;  ///< of one request
constexpr std::size_t kDimensions = 30, kValues = 150;
constexpr std::size_t kNameBytes = 255, kDimensionValueBytes = 1024;
constexpr auto kOldest = std::chrono::hours{14 * 24};
constexpr auto kNewest = std::chrono::hours{2};
}  // namespace limits

}  // namespace tidemill::cloudwatch

#pragma once

#include <cstdint>

#include "engine/cloudwatch/cloudwatch_api.h"
#include "engine/dynamodb/dynamodb_api.h"
#include "engine/telemetry/core_metrics.h"

namespace tidemill {

/// What the DynamoDB door and its tables count, asked when /metrics is. Before the reactors serve.
/// Ownership: both live as long as anyone collects. The tables' home is the first core.
void register_table_metrics(CoreMetrics& metrics, std::uint32_t cores, const DynamoDbApi& api,
                            const dynamodb::TableStore& tables);
/// The same of the CloudWatch door.
void register_cloudwatch_metrics(CoreMetrics& metrics, std::uint32_t cores,
                                 const CloudWatchApi& api);

}  // namespace tidemill

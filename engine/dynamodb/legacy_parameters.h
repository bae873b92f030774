#pragma once

#include <string_view>

#include "engine/aws/value.h"
#include "engine/dynamodb/expression.h"

namespace tidemill::dynamodb {

/// The parameters from before there were expressions, which KCL still uses, as what expressions
/// mean. Errors: ValidationException in DynamoDB's words.
/// Source: the Developer Guide, "Legacy conditional parameters".

/// Of Expected.
aws::ApiResult<Condition> expected_condition(const aws::Value& expected,
                                             std::string_view conditional_operator);
/// Of KeyConditions, QueryFilter or ScanFilter.
aws::ApiResult<Condition> filter_condition(const aws::Value& filter,
                                           std::string_view conditional_operator);
/// Of AttributeUpdates.
aws::ApiResult<Update> attribute_updates(const aws::Value& updates);
/// Of AttributesToGet.
aws::ApiResult<std::vector<DocumentPath>> attributes_to_get(const aws::Value& names);

}  // namespace tidemill::dynamodb

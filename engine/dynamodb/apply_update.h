#pragma once

#include "engine/aws/api_error.h"
#include "engine/dynamodb/expression.h"

namespace tidemill::dynamodb {

/// The item after the update. Pure. Errors: ValidationException in DynamoDB's words, when a path
/// leads nowhere or an operand is of a wrong type.
aws::ApiResult<Item> updated(const Update& update, const Item& before);

}  // namespace tidemill::dynamodb

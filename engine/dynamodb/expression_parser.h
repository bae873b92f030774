#pragma once

#include <string_view>
#include <vector>

#include "engine/aws/api_error.h"
#include "engine/dynamodb/expression.h"
#include "engine/dynamodb/expression_scope.h"

namespace tidemill::dynamodb {

/// The parsers of DynamoDB's expressions. `member` is the request's member that the text is of
/// ("ConditionExpression"), for the messages. Pure but for `scope`, which remembers what was used.
/// Errors: ValidationException in DynamoDB's words: "Invalid ConditionExpression: Syntax error;
/// token: ...". Source: the Developer Guide, "Using expressions in DynamoDB".
aws::ApiResult<Condition> parse_condition(std::string_view text, std::string_view member,
                                          ExpressionScope& scope);
aws::ApiResult<Update> parse_update(std::string_view text, ExpressionScope& scope);
aws::ApiResult<std::vector<DocumentPath>> parse_projection(std::string_view text,
                                                           ExpressionScope& scope);

}  // namespace tidemill::dynamodb

#pragma once

#include <optional>

#include "engine/aws/api_error.h"
#include "engine/dynamodb/expression.h"
#include "engine/dynamodb/table_definition.h"

namespace tidemill::dynamodb {

/// What a Query asks of the key.
struct KeyCondition {
    Attribute hash;
    std::optional<Condition> range{};
    std::optional<Attribute> low{};  ///< no range key that fits is before it
};

/// For the words of its errors.
enum class KeyConditionForm : std::uint8_t { Expression, Legacy };

/// Takes a condition apart: equality for the hash key, and at most one comparison of the range key.
/// Errors: ValidationException.
aws::ApiResult<KeyCondition> key_condition(const Condition& condition, const KeySchema& key,
                                           KeyConditionForm form);

}  // namespace tidemill::dynamodb

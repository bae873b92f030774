#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/aws/value.h"
#include "engine/dynamodb/attribute.h"

namespace tidemill::dynamodb {

/// What the placeholders of a request's expressions stand for, and which of them were used.
class ExpressionScope {
 public:
    /// From ExpressionAttributeNames and ExpressionAttributeValues. Errors: malformed ones, in
    /// DynamoDB's words.
    static aws::ApiResult<ExpressionScope> of(const aws::Value& request);
    /// For tests and pure uses.
    ExpressionScope(std::map<std::string, std::string> names, Item values)
        : names_(std::move(names)), values_(std::move(values)) {}
    ExpressionScope() = default;

    /// "#n". Null when it is not defined.
    const std::string* name(std::string_view placeholder);
    /// ":v".
    const Attribute* value(std::string_view placeholder);
    bool has_names() const { return !names_.empty(); }
    bool has_values() const { return !values_.empty(); }
    /// Errors: ValidationException when a placeholder stands in no expression.
    aws::ApiStatus all_used() const;

 private:
    std::map<std::string, std::string> names_;
    Item values_;
    std::set<std::string, std::less<>> used_;
};

}  // namespace tidemill::dynamodb

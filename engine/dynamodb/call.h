#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/aws/caller.h"
#include "engine/aws/document_writer.h"
#include "engine/aws/value.h"
#include "engine/dynamodb/expression.h"
#include "engine/dynamodb/expression_scope.h"
#include "engine/dynamodb/tables.h"

namespace tidemill::dynamodb {

using namespace aws;  // the vocabulary that all AWS doors share

/// One call of one operation, on the tables' home core.
struct Call {
    Tables& tables;
    const Value& input;  ///< has passed its shape's check
    const std::string& region;
    const std::string& account;
    WallTime now;
    std::string output{};       ///< the answer's body
    std::string error_extra{};  ///< members of an error's body behind its message, without braces

    DocumentWriter answer() { return {output, Encoding::Json}; }
    std::string table_arn(std::string_view table) const;
};

std::unexpected<ApiError> invalid(std::string message);  ///< a ValidationException
/// "One or more parameter values were invalid: ..."
std::unexpected<ApiError> invalid_values(std::string_view what);

/// The table that a request's TableName (a name, or an ARN) names.
/// Errors: ResourceNotFoundException, "Requested resource not found".
ApiResult<Table*> find_table(Call& call, const Value& request);
/// The same where AWS says the name: "Requested resource not found: Table: t not found".
ApiResult<Table*> find_table_by_name(Call& call, const Value& request);
/// The name alone.
std::string_view table_name_of(std::string_view name_or_arn);

/// The key that a request's Key is. Errors: it is not exactly the table's key.
ApiResult<Item> key_of(const Table& table, const Value& key);
/// Errors: keys that an item must not have, of the table and of its indexes.
ApiStatus check_keys(const Table& table, const Item& item);
Item key_of_item(const KeySchema& key, const Item& item);

/// A member that is text; nothing when it is absent. Errors: SerializationException for any other.
/// For what is within maps, which no shape has checked.
ApiResult<std::optional<std::string>> text_member(const Value& request, std::string_view name);

/// Refuses a request that has members from before expressions and expressions.
ApiStatus check_mixture(const Value& request);
/// ConditionExpression or Expected.
ApiResult<std::optional<Condition>> condition_of(const Value& request, ExpressionScope& scope);
/// ProjectionExpression or AttributesToGet; nothing: everything.
ApiResult<std::optional<std::vector<DocumentPath>>> projection_of(const Value& request,
                                                                  ExpressionScope& scope);

/// What a call is charged at AWS.
std::int64_t write_units(std::size_t bytes);
/// In halves, for those that are not consistent.
std::int64_t half_read_units(std::size_t bytes, bool is_consistent);
/// The member ConsumedCapacity, when ReturnConsumedCapacity asks for it.
void write_capacity(const Call& call, DocumentWriter& out, const Table& table,
                    std::int64_t half_units, std::string_view index = "");
/// One element of a list of them.
void write_capacity_of(const Call& call, DocumentWriter& out, std::string_view table,
                       std::int64_t half_units, std::string_view index = "");
bool wants_capacity(const Call& call);

}  // namespace tidemill::dynamodb

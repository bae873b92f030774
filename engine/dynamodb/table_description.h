#pragma once

#include "engine/dynamodb/call.h"

namespace tidemill::dynamodb {

/// What a request to make or change a table says, decoded and checked. Errors: ValidationException
/// in DynamoDB's words.
ApiResult<TableDefinition> definition_of(const Value& request);
/// An element of GlobalSecondaryIndexes or LocalSecondaryIndexes, or an index to be added.
ApiResult<IndexDefinition> index_of(const Value& index, const std::vector<KeyAttribute>& declared,
                                    bool is_local);
ApiResult<std::vector<KeyAttribute>> declared_attributes(const Value& request);
/// Nothing when the request has none. Errors: below 1.
ApiResult<std::optional<Throughput>> throughput_of(const Value& request);

/// The object that DynamoDB calls TableDescription. `new_index`: is being built, in these words.
void write_description(const Call& call, DocumentWriter& out, const Table& table,
                       std::string_view status, std::string_view new_index = "");

}  // namespace tidemill::dynamodb

#pragma once

#include "engine/aws/document_writer.h"
#include "engine/aws/value.h"
#include "engine/dynamodb/attribute.h"

namespace tidemill::dynamodb {

/// {"S": "text"} and its like. Errors: SerializationException for what is none,
/// ValidationException for one that DynamoDB does not take, in its words.
aws::ApiResult<Attribute> attribute_of(const aws::Value& value);
/// A map of them. Errors: the same, and names that are empty or too long.
aws::ApiResult<Item> item_of(const aws::Value& value);

void write(aws::DocumentWriter& out, const Attribute& value);
void write(aws::DocumentWriter& out, const Item& item);

}  // namespace tidemill::dynamodb

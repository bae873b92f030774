#pragma once

#include <string>

#include "engine/dynamodb/attribute.h"

namespace tidemill::dynamodb {

/// "{N:1}", as DynamoDB's messages show a value.
std::string text_of(const Attribute& value);

}  // namespace tidemill::dynamodb

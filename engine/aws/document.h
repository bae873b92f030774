#pragma once

#include <string_view>

#include "engine/aws/api_error.h"
#include "engine/aws/encoding.h"
#include "engine/aws/value.h"

namespace tidemill::aws {

/// The document of a request to one of the JSON services, an object. Errors:
/// SerializationException, without a message as in AWS, for all that is none.
ApiResult<Value> parse_document(std::string_view body, Encoding encoding);

}  // namespace tidemill::aws

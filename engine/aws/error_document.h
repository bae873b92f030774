#pragma once

#include <string>

#include "engine/aws/api_error.h"
#include "engine/aws/encoding.h"

namespace tidemill::aws {

/// {"__type":...,"message":...} of the JSON and CBOR protocols.
std::string error_document(const ApiError& error, Encoding encoding);

}  // namespace tidemill::aws

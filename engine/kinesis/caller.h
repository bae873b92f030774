#pragma once

#include "engine/http/http_message.h"
#include "engine/kinesis/call.h"

namespace tidemill::kinesis {

/// The caller by the credential scope of the Authorization header or the X-Amz-Credential query
/// parameter.
Caller caller_of(const HttpRequest& request);

}  // namespace tidemill::kinesis

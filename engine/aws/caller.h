#pragma once

#include <string>
#include <string_view>

#include "engine/http/http_message.h"

namespace tidemill::aws {

/// Who calls, as far as names need it. Signatures are not verified yet: any credentials, and none,
/// are accepted.
struct Caller {
    std::string region = "us-east-1";  ///< from the credential scope
    std::string_view account = "000000000000";
};

/// The caller by the credential scope of the Authorization header or the X-Amz-Credential query
/// parameter.
Caller caller_of(const HttpRequest& request);

}  // namespace tidemill::aws

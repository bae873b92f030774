#pragma once

#include <string>
#include <string_view>

#include "engine/aws/api_error.h"
#include "engine/aws/encoding.h"
#include "engine/http/http_message.h"

namespace tidemill::aws {

/// {"__type":...,"message":...} of the JSON and CBOR protocols.
std::string error_document(const ApiError& error, Encoding encoding);

/// What the services answer where they cannot tell which of them is meant.
constexpr std::string_view kNoOperation =
    "Unable to determine service/operation name to be authorized";
/// <Type><Message>...</Message></Type>. The message must need no escapes.
HttpResponse xml_refusal(std::string_view type, std::string_view message, unsigned status);

}  // namespace tidemill::aws

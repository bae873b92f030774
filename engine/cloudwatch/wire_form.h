#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/aws/api_error.h"
#include "engine/aws/value.h"
#include "engine/http/http_message.h"

namespace tidemill::cloudwatch {

/// How a request is written down, and so its answer.
enum class WireForm : std::uint8_t { Query, Json, Cbor };

/// Nothing when the request is not one for CloudWatch.
std::optional<WireForm> wire_form_of(const HttpRequest& request);
/// The operation that it names. Ownership: the request's.
std::string_view operation_named(const HttpRequest& request, WireForm form);

/// The request's document, opened and parsed. Errors: in the words of the form.
aws::ApiResult<aws::Value> document_of(const HttpRequest& request, WireForm form);

/// The answer of an operation that has nothing to say.
HttpResponse empty_answer(WireForm form, std::string_view operation, std::string_view id);
HttpResponse error_answer(WireForm form, const aws::ApiError& error, std::string_view id);

}  // namespace tidemill::cloudwatch

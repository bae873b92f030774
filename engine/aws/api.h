#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/aws/api_error.h"
#include "engine/aws/caller.h"
#include "engine/http/http_message.h"
#include "engine/io/task.h"

namespace tidemill::aws {

/// One call as the door hands it to an API. Ownership: lives until the API's task ends.
struct ApiRequest {
    const HttpRequest& http;
    std::string_view operation;  ///< "PutRecord", as Api::operation_of found it
    Caller caller;
    std::string_view id;  ///< x-amzn-RequestId of the answer
};

/// One AWS service behind the door they all share. Core: any; called on the connection's.
class Api {
 public:
    virtual ~Api() = default;

    /// What the credential scope of a signature must name: "kinesis".
    virtual std::string_view signing_name() const = 0;
    /// The operation that the request asks this API for, known or not; nothing when the request
    /// is meant for another API.
    virtual std::optional<std::string_view> operation_of(const HttpRequest& request) const = 0;
    /// Never fails: its errors are answers in its own form.
    virtual Task<HttpResponse> call(const ApiRequest& request) = 0;
    /// The answer to a request that the door itself refuses, in the API's own form.
    virtual HttpResponse refusal(const HttpRequest& request, const ApiError& error) = 0;
};

/// The part of X-Amz-Target behind `prefix`; nothing when it does not begin so.
std::optional<std::string_view> target_operation(const HttpRequest& request,
                                                 std::string_view prefix);

}  // namespace tidemill::aws

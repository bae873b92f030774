#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace tidemill::query {

/// http://host[:port]/path. Errors of `parse`: InvalidArgument.
struct HttpUrl {
    std::string host, port = "80", path = "/";
    static Result<HttpUrl> parse(std::string_view text);
};

/// One POST over a connection of its own; blocks. The answer's status (200 to 599). Errors:
/// Unavailable (no connection, or it ended), Timeout, Corrupt (what came is no HTTP answer).
Result<int> http_post(const HttpUrl& url, std::string_view content_type, std::string_view body,
                      std::chrono::milliseconds timeout);

}  // namespace tidemill::query

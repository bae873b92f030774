#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/http_message.h"

namespace tidemill {

/// Which web pages may let a browser call this port (the Fetch standard's CORS protocol). AWS lets
/// all: what protects a stream is the signature.
struct HttpCors {
    /// As browsers send them, "https://app.example"; "http://localhost:*" for any port; "*" for all
    /// pages. None: no page.
    std::vector<std::string> origins{"*"};

    bool allows(std::string_view origin) const;
};

/// The answer to a browser that asks before it calls; nothing for any other request.
std::optional<HttpResponse> preflight_answer(const HttpCors& cors, const HttpRequest& request);

/// Lets the page that called read the answer, where it may.
void add_cors_headers(const HttpCors& cors, const HttpRequest& request, HttpResponse& response);

}  // namespace tidemill

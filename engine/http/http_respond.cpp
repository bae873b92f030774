#include "engine/http/http_respond.h"

#include <fmt/format.h>

namespace tidemill {

Task<HttpResponse> respond(HttpCore& core, const HttpRequest& request) {
    if (auto answer = preflight_answer(core.cors, request)) co_return std::move(*answer);
    HttpHandler* handler = core.router.find(request.method, request.path);
    if (handler == nullptr && request.method == "HEAD")
        handler = core.router.find("GET", request.path);
    if (handler == nullptr) {
        const unsigned status = core.router.knows_path(request.path) ? 405 : 404;
        co_return HttpResponse::text(status, fmt::format("{}.\n", http_reason(status)));
    }
    try {
        HttpResponse response = co_await handler->handle(request);
        add_cors_headers(core.cors, request, response);
        co_return response;
    } catch (const std::exception& exception) {
        fmt::print(stderr, "http: {} {} failed: {}\n", request.method, request.path,
                   exception.what());
    }
    HttpResponse failed = HttpResponse::text(500, "Internal Server Error.\n");
    failed.closes = true;
    co_return failed;
}

}  // namespace tidemill

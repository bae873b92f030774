#include "engine/http/operations_pages.h"

namespace tidemill {

Task<HttpResponse> HealthPage::handle(const HttpRequest& request) {
    if (request.path == "/readyz") {
        if (const std::string why = why_not_ready_(); !why.empty())
            co_return HttpResponse::text(503, why + "\n");
    }
    co_return HttpResponse::text(200, "ok\n");
}

Task<HttpResponse> MetricsPage::handle(const HttpRequest&) {
    HttpResponse response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = co_await render_();
    co_return response;
}

}  // namespace tidemill

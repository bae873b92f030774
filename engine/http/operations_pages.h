#pragma once

#include <functional>
#include <string>

#include "engine/http/http_message.h"

namespace tidemill {

/// GET /healthz: the process runs. GET /readyz: it serves; 503 with the reason while it does not.
class HealthPage final : public HttpHandler {
 public:
    /// Empty: ready. Called on any core.
    using WhyNotReady = std::function<std::string()>;
    explicit HealthPage(WhyNotReady why_not_ready) : why_not_ready_(std::move(why_not_ready)) {}
    Task<HttpResponse> handle(const HttpRequest& request) override;

 private:
    WhyNotReady why_not_ready_;
};

/// GET /metrics in Prometheus' text format 0.0.4.
class MetricsPage final : public HttpHandler {
 public:
    using Render = std::function<Task<std::string>()>;
    explicit MetricsPage(Render render) : render_(std::move(render)) {}
    Task<HttpResponse> handle(const HttpRequest& request) override;

 private:
    Render render_;
};

}  // namespace tidemill

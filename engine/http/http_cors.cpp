#include "engine/http/http_cors.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr std::string_view kAnyPort = ":*";
constexpr const char* kMethods = "POST, OPTIONS";
constexpr const char* kHeaders =
    "authorization, content-type, content-encoding, x-amz-date, x-amz-target, x-amz-user-agent, "
    "x-amz-security-token, x-amz-content-sha256, amz-sdk-invocation-id, amz-sdk-request";
constexpr const char* kReadable =
    "x-amzn-RequestId, x-amzn-ErrorType, x-amzn-ErrorMessage, x-amz-request-id, x-amz-id-2, "
    "x-amz-crc32, Date";
constexpr const char* kRememberSeconds = "172800";

void allow_origin(const HttpCors& cors, std::string_view origin, HttpResponse& response) {
    if (std::ranges::find(cors.origins, "*") != cors.origins.end()) {
        response.headers.emplace_back("Access-Control-Allow-Origin", "*");
        return;
    }
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    response.headers.emplace_back("Vary", "Origin");
}

}  // namespace

bool HttpCors::allows(std::string_view origin) const {
    return std::ranges::any_of(origins, [origin](std::string_view allowed) {
        if (allowed == "*" || allowed == origin) return true;
        if (!allowed.ends_with(kAnyPort)) return false;
        allowed.remove_suffix(kAnyPort.size());
        if (!origin.starts_with(allowed)) return false;
        const auto port = origin.substr(allowed.size());
        return port.empty() || (port.size() > 1 && port.front() == ':' &&
                                port.find_first_not_of("0123456789", 1) == std::string_view::npos);
    });
}

std::optional<HttpResponse> preflight_answer(const HttpCors& cors, const HttpRequest& request) {
    const auto origin = request.header("Origin");
    if (request.method != "OPTIONS" || origin.empty()) return std::nullopt;
    if (!cors.allows(origin))
        return HttpResponse::text(403, "Pages of this origin may not call this port.\n");
    HttpResponse response;
    allow_origin(cors, origin, response);
    const auto method = request.header("Access-Control-Request-Method");
    const auto headers = request.header("Access-Control-Request-Headers");
    response.headers.emplace_back("Access-Control-Allow-Methods",
                                  method.empty() ? std::string_view(kMethods) : method);
    response.headers.emplace_back("Access-Control-Allow-Headers",
                                  headers.empty() ? std::string_view(kHeaders) : headers);
    response.headers.emplace_back("Access-Control-Expose-Headers", kReadable);
    response.headers.emplace_back("Access-Control-Max-Age", kRememberSeconds);
    return response;
}

void add_cors_headers(const HttpCors& cors, const HttpRequest& request, HttpResponse& response) {
    // Pages for people and machines at this place (GET) are no API.
    if (request.method != "POST") return;
    const auto origin = request.header("Origin");
    if (origin.empty() || !cors.allows(origin)) return;
    allow_origin(cors, origin, response);
    response.headers.emplace_back("Access-Control-Expose-Headers", kReadable);
}

}  // namespace tidemill

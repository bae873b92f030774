#include <algorithm>

#include <doctest/doctest.h>

#include "engine/http/http_cors.h"

using namespace tidemill;

namespace {

std::string header(const HttpResponse& response, std::string_view name) {
    const auto found =
        std::ranges::find(response.headers, name, &std::pair<std::string, std::string>::first);
    return found == response.headers.end() ? "" : found->second;
}

HttpRequest from(std::string_view origin, std::string_view method = "POST") {
    HttpRequest request;
    request.method = method;
    request.headers = {{"origin", origin}};
    return request;
}

}  // namespace

TEST_CASE("an origin is allowed by name, by name with any port, or with all others") {
    CHECK(HttpCors{}.allows("https://anything.example"));
    const HttpCors some{{"https://app.example", "http://localhost:*"}};
    CHECK(some.allows("https://app.example"));
    CHECK(some.allows("http://localhost"));
    CHECK(some.allows("http://localhost:3000"));
    CHECK_FALSE(some.allows("http://app.example"));
    CHECK_FALSE(some.allows("https://app.example:444"));
    CHECK_FALSE(some.allows("http://localhost.evil.example"));
    CHECK_FALSE(some.allows("http://localhost:3000.evil.example"));
    CHECK_FALSE(some.allows("http://localhost:"));
    CHECK_FALSE(HttpCors{{}}.allows("https://app.example"));
}

TEST_CASE("a preflight is granted what it asks for, or refused") {
    HttpRequest asks = from("https://app.example", "OPTIONS");
    asks.headers.emplace_back("Access-Control-Request-Method", "POST");
    asks.headers.emplace_back("Access-Control-Request-Headers", "x-amz-target,authorization");
    const auto granted = preflight_answer(HttpCors{}, asks);
    REQUIRE(granted.has_value());
    CHECK(granted->status == 200);
    CHECK(granted->body.empty());
    CHECK(header(*granted, "Access-Control-Allow-Origin") == "*");
    CHECK(header(*granted, "Access-Control-Allow-Methods") == "POST");
    CHECK(header(*granted, "Access-Control-Allow-Headers") == "x-amz-target,authorization");
    CHECK(header(*granted, "Access-Control-Max-Age") == "172800");
    const auto named = preflight_answer(HttpCors{{"https://app.example"}}, asks);
    CHECK(header(*named, "Access-Control-Allow-Origin") == "https://app.example");
    CHECK(header(*named, "Vary") == "Origin");
    const auto refused = preflight_answer(HttpCors{{}}, asks);
    CHECK(refused->status == 403);
    CHECK(header(*refused, "Access-Control-Allow-Origin").empty());
    CHECK_FALSE(preflight_answer(HttpCors{}, from("https://app.example")).has_value());
    HttpRequest plain;
    plain.method = "OPTIONS";
    CHECK_FALSE(preflight_answer(HttpCors{}, plain).has_value());
}

TEST_CASE("answers to pages can be read by them, with the headers that SDKs look at") {
    HttpResponse response;
    add_cors_headers(HttpCors{}, from("https://app.example"), response);
    CHECK(header(response, "Access-Control-Allow-Origin") == "*");
    for (const auto* name : {"x-amzn-RequestId", "x-amz-id-2", "x-amz-crc32", "Date"})
        CHECK(header(response, "Access-Control-Expose-Headers").find(name) != std::string::npos);
    HttpResponse others;
    add_cors_headers(HttpCors{{"http://localhost:*"}}, from("https://app.example"), others);
    add_cors_headers(HttpCors{}, from("https://app.example", "GET"), others);
    HttpRequest plain;
    plain.method = "POST";
    add_cors_headers(HttpCors{}, plain, others);
    CHECK(others.headers.empty());
}

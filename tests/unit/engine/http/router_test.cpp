#include <doctest/doctest.h>

#include "engine/http/http_core.h"
#include "engine/http/http_router.h"

using namespace tidemill;

namespace {
struct Nothing final : HttpHandler {
    Task<HttpResponse> handle(const HttpRequest&) override { co_return HttpResponse{}; }
};
}  // namespace

TEST_CASE("the longest prefix wins, and a named method goes before any") {
    Nothing root, api, status, posts;
    HttpRouter router;
    router.mount("POST", "/", posts);
    router.mount("GET", "/", root);
    router.mount("", "/v1/", api);
    router.mount("GET", "/v1/status", status);
    CHECK(router.find("GET", "/") == &root);
    CHECK(router.find("POST", "/anything") == &posts);
    CHECK(router.find("POST", "/v1/streams") == &api);
    CHECK(router.find("GET", "/v1/status") == &status);
    CHECK(router.find("GET", "/v1/status/more") == &api);
    CHECK(router.find("PUT", "/x") == nullptr);
    CHECK(router.knows_path("/x"));
}

TEST_CASE("headers are found in any case, the date is RFC 9110's") {
    HttpRequest request;
    request.headers = {{"Content-TYPE", "a"}, {"content-type", "b"}};
    CHECK(request.header("content-type") == "a");
    CHECK_FALSE(request.has_header("x-none"));
    HttpDate date;
    CHECK(date.at(from_millis(784111777'999)) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(date.at(from_millis(784111778'000)) == "Sun, 06 Nov 1994 08:49:38 GMT");
}

#include "engine/aws/caller.h"

#include <algorithm>

namespace tidemill::aws {
namespace {

constexpr std::size_t kRegionMax = 64;

/// The third part of key/date/region/service/aws4_request; '/' may be written %2F.
std::string_view region_of(std::string_view scope) {
    const auto skip = [&scope] {
        const auto slash = scope.find('/');
        const auto escaped = scope.find("%2F");
        const auto at = std::min(slash, escaped);
        if (at == std::string_view::npos) return std::string_view{};
        const auto part = scope.substr(0, at);
        scope.remove_prefix(at + (at == slash ? 1 : 3));
        return part;
    };
    skip();
    skip();
    return skip();
}

bool is_region(std::string_view text) {
    return !text.empty() && text.size() <= kRegionMax && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

std::string_view after(std::string_view text, std::string_view mark) {
    const auto at = text.find(mark);
    return at == std::string_view::npos ? std::string_view{} : text.substr(at + mark.size());
}

}  // namespace

Caller caller_of(const HttpRequest& request) {
    std::string_view scope = after(request.header("Authorization"), "Credential=");
    if (scope.empty()) scope = after(request.query, "X-Amz-Credential=");
    Caller caller;
    if (const auto region = region_of(scope.substr(0, scope.find_first_of(", &")));
        is_region(region))
        caller.region = region;
    return caller;
}

}  // namespace tidemill::aws

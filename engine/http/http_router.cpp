#include "engine/http/http_router.h"

#include <algorithm>

namespace tidemill {

bool HttpRouter::Route::covers(std::string_view path) const {
    return prefix.ends_with('/') ? path.starts_with(prefix) : path == prefix;
}

void HttpRouter::mount(std::string method, std::string prefix, HttpHandler& handler) {
    Route route{std::move(method), std::move(prefix), &handler};
    const auto goes_before = [](const Route& a, const Route& b) {
        if (a.prefix.size() != b.prefix.size()) return a.prefix.size() > b.prefix.size();
        return !a.method.empty() && b.method.empty();
    };
    const auto place = std::upper_bound(routes_.begin(), routes_.end(), route, goes_before);
    routes_.insert(place, std::move(route));
}

HttpHandler* HttpRouter::find(std::string_view method, std::string_view path) const {
    for (const auto& route : routes_)
        if ((route.method.empty() || route.method == method) && route.covers(path))
            return route.handler;
    return nullptr;
}

bool HttpRouter::knows_path(std::string_view path) const {
    return std::ranges::any_of(routes_, [&](const Route& route) { return route.covers(path); });
}

}  // namespace tidemill

#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace tidemill {

/// A request as its signature sees it. Ownership: views.
struct SignedRequest {
    std::string_view method;
    std::string_view path;   ///< as sent, still percent-encoded
    std::string_view query;  ///< the same, behind the '?'
    std::span<const std::pair<std::string_view, std::string_view>> headers;
    std::string_view body;

    /// The first header of that name (in any case); null when absent. "host" and ":authority" stand
    /// for each other: HTTP/2 has the one, HTTP/1.1 the other.
    const std::string_view* header(std::string_view name) const;
};

/// Header names are the same in any case.
bool is_same_header(std::string_view a, std::string_view b);

}  // namespace tidemill

#include "engine/security/signed_request.h"

#include <algorithm>

namespace tidemill {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool is_same_header(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

const std::string_view* SignedRequest::header(std::string_view name) const {
    const auto find = [this](std::string_view wanted) -> const std::string_view* {
        for (const auto& [key, value] : headers)
            if (is_same_header(key, wanted)) return &value;
        return nullptr;
    };
    if (const auto* found = find(name)) return found;
    if (is_same_header(name, "host")) return find(":authority");
    if (name == ":authority") return find("host");
    return nullptr;
}

}  // namespace tidemill

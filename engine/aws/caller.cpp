#include "engine/aws/caller.h"

#include <algorithm>

#include "engine/aws/authenticator.h"
#include "engine/security/signature_parts.h"

namespace tidemill::aws {
namespace {

constexpr std::size_t kRegionMax = 64;
constexpr std::string_view kDefaultRegion = "us-east-1";

}  // namespace

std::string_view Caller::arn() const {
    return identity != nullptr ? std::string_view(identity->arn) : "arn:aws:iam::000000000000:root";
}

std::string checked_region(std::string_view text) {
    const bool is_region =
        !text.empty() && text.size() <= kRegionMax && std::ranges::all_of(text, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        });
    return std::string(is_region ? text : kDefaultRegion);
}

Caller unverified_caller(const HttpRequest& request) {
    std::string space;
    Caller caller;
    caller.request = &request;
    caller.region = checked_region(claimed_region(signed_request(request), space));
    return caller;
}

}  // namespace tidemill::aws

#pragma once

#include <string>
#include <string_view>

#include "engine/http/http_message.h"
#include "engine/security/credential.h"

namespace tidemill::aws {

/// Who calls.
struct Caller {
    std::string region = "us-east-1";       ///< from the credential scope
    std::string_view account = kNoAccount;  ///< the identity's
    IdentityPtr identity{};  ///< whose key signed the request; null: nobody that we know

    /// What it sent, for conditions of policies. Ownership: lives until the API's task ends.
    const HttpRequest* request = nullptr;

    bool is_known() const { return identity != nullptr; }
    /// True for an identity that has policies: it may do only what they allow.
    bool is_restricted() const { return is_known() && !identity->policies.empty(); }
    /// "arn:aws:iam::000000000000:user/alice"; the root of its account when nobody is known.
    std::string_view arn() const;
};

/// The caller by what a request claims, believed as it is: the region alone.
Caller unverified_caller(const HttpRequest& request);
/// A region that can stand in names; else the default one.
std::string checked_region(std::string_view text);

}  // namespace tidemill::aws

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/aws/api_error.h"
#include "engine/aws/caller.h"
#include "engine/io/clock.h"

namespace tidemill::aws {

/// What an operation is about to work on. Ownership: views; lives for one decision.
struct Target {
    std::string_view account;   ///< whose it is; empty: of whoever asks
    std::string_view policy{};  ///< the resource's own, in AWS's JSON; empty: none
    const std::map<std::string, std::string>* tags = nullptr;
};

/// Whether the caller may carry out `operation` of `service` on `arn`, by its identity's policies
/// and the resource's. `arn` is called only when there is a policy to ask, or another account's
/// resource. Errors: AccessDeniedException in AWS's words.
template <class MakeArn>
ApiStatus authorize(const Caller& caller, std::string_view service, std::string_view operation,
                    const Target& target, Clock& clock, MakeArn arn);

// The part of it that is not for every call.
ApiStatus authorize_by_policies(const Caller& caller, const std::string& action,
                                const std::string& arn, const Target& target, Clock& clock);

template <class MakeArn>
ApiStatus authorize(const Caller& caller, std::string_view service, std::string_view operation,
                    const Target& target, Clock& clock, MakeArn arn) {
    const bool is_own = target.account.empty() || target.account == caller.account;
    if (is_own && !caller.is_restricted() && target.policy.empty()) return {};
    std::string action(service);
    action.append(":").append(operation);
    return authorize_by_policies(caller, action, arn(), target, clock);
}

}  // namespace tidemill::aws

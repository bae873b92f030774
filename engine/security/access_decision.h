#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/security/access_question.h"
#include "engine/security/policy.h"

namespace tidemill {

/// What one policy says to a question.
enum class Verdict : std::uint8_t {
    Silent,         ///< nothing
    AllowsAccount,  ///< its account may; who in it, that account's own policies say
    Allows,
    Denies,
};
Verdict verdict_of(const Policy& policy, const AccessQuestion& question);

/// What all of them come to.
enum class Access : std::uint8_t {
    Granted,
    DeniedByIdentityPolicy,  ///< in so many words
    DeniedByResourcePolicy,  ///< the same
    NoIdentityPolicyAllows,
    NoResourcePolicyAllows,
};

/// An explicit denial goes before everything. Within an account, one of the identity's policies or
/// the resource's must allow it; from another account, both. An identity without any policy may do
/// everything that its account may. `resource_policy` may be null. Source: IAM's "policy evaluation
/// logic".
Access decide(const AccessQuestion& question, const Policy* resource_policy);

/// "User: arn... is not authorized to perform: kinesis:PutRecord on resource: arn... because no
/// identity-based policy allows the kinesis:PutRecord action"
std::string denial_text(const AccessQuestion& question, Access access);

}  // namespace tidemill

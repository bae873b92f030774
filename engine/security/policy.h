#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace tidemill {

/// How a condition compares. `is_negated` makes the Not... of each.
enum class Comparison : std::uint8_t {
    String,
    StringIgnoreCase,
    StringLike,
    Arn,
    NumericEquals,
    NumericLess,
    NumericLessEquals,
    NumericGreater,
    NumericGreaterEquals,
    DateEquals,
    DateLess,
    DateLessEquals,
    DateGreater,
    DateGreaterEquals,
    Bool,
    IpAddress,
    Null,
};

/// Of a key that has several values: how many of them must fit.
enum class Quantifier : std::uint8_t { One, ForAllValues, ForAnyValue };

struct PolicyCondition {
    Comparison comparison = Comparison::String;
    bool is_negated = false;
    bool if_exists = false;  ///< true without the key
    Quantifier quantifier = Quantifier::One;
    std::string key;  ///< "aws:SourceIp"
    std::vector<std::string> values;
};

/// Values of a statement's element, or all but those.
struct PolicyMatch {
    bool is_negated = false;
    std::vector<std::string> values;
};

struct PolicyStatement {
    std::string sid;
    bool is_allow = false;
    /// Of a resource's policy: "*", account ids and ARNs. Principals that are no AWS ones
    /// (services, federated users) never call here: they are checked, and left out.
    PolicyMatch principals;
    PolicyMatch actions, resources;
    std::vector<PolicyCondition> conditions;
};

/// Whose policy it is: an identity's says what it may do, a resource's also who may.
enum class PolicyKind : std::uint8_t { Identity, Resource };

/// A policy document of AWS's language. Source: IAM's "grammar of the IAM JSON policy language".
struct Policy {
    PolicyKind kind = PolicyKind::Identity;
    std::vector<PolicyStatement> statements;
};

constexpr std::size_t kPolicyBytesMax = 20 * 1024;

/// Errors: InvalidArgument, with the words that AWS has for malformed policies: a caller that put
/// the policy may be shown them.
Result<Policy> parse_policy(std::string_view text, PolicyKind kind = PolicyKind::Resource);

}  // namespace tidemill

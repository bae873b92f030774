#include "engine/security/access_decision.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/security/policy_values.h"
#include "engine/security/wildcard.h"

namespace tidemill {
namespace {

/// How far a list of principals names an identity.
enum class Named : std::uint8_t { No, ByAccount, Itself };

Named named_by(const std::vector<std::string>& principals, const Identity& identity) {
    Named named = Named::No;
    for (const std::string& principal : principals) {
        if (principal == "*" || principal == identity.arn ||
            (!identity.role_arn.empty() && principal == identity.role_arn))
            return Named::Itself;
        const bool is_account =
            principal == identity.account ||
            (principal.ends_with(":root") && principal.contains("::" + identity.account + ":root"));
        if (is_account) named = identity.arn.ends_with(":root") ? Named::Itself : Named::ByAccount;
    }
    return named;
}

bool fits(std::string_view pattern, std::string_view text, LetterCase letters,
          const AccessQuestion& question) {
    if (!pattern.contains("${")) return matches_wildcard(pattern, text, letters);
    const auto expanded = expand_variables(pattern, question);
    return expanded && matches_wildcard(*expanded, text, letters);
}

bool covers(const PolicyMatch& match, std::string_view text, LetterCase letters,
            const AccessQuestion& question) {
    const bool is_listed = std::ranges::any_of(match.values, [&](const std::string& pattern) {
        return fits(pattern, text, letters, question);
    });
    return is_listed != match.is_negated;
}

bool is_any(const PolicyCondition& condition, std::string_view actual,
            const AccessQuestion& question) {
    return std::ranges::any_of(condition.values, [&](const std::string& wanted) {
        if (!wanted.contains("${")) return compares(condition.comparison, wanted, actual);
        const auto expanded = expand_variables(wanted, question);
        return expanded && compares(condition.comparison, *expanded, actual);
    });
}

bool holds(const PolicyCondition& condition, const AccessQuestion& question) {
    const auto actual = context_value(question, condition.key);
    if (condition.comparison == Comparison::Null)
        return std::ranges::any_of(condition.values, [&](const std::string& wanted) {
            return equal_ignoring_case(wanted, actual ? "false" : "true");
        });
    if (!actual) {
        if (condition.if_exists || condition.quantifier == Quantifier::ForAllValues) return true;
        // That something is not so is true of what is not there, but not of any value of it.
        return condition.is_negated && condition.quantifier == Quantifier::One;
    }
    // Each key has one value here, so one, all and any of them are the same.
    return is_any(condition, *actual, question) != condition.is_negated;
}

Verdict verdict_of(const PolicyStatement& statement, PolicyKind kind,
                   const AccessQuestion& question) {
    Named named = Named::Itself;
    if (kind == PolicyKind::Resource) {
        named = named_by(statement.principals.values, question.identity);
        if (statement.principals.is_negated) named = named == Named::No ? Named::Itself : Named::No;
    }
    if (named == Named::No ||
        !covers(statement.actions, question.action, LetterCase::Ignored, question) ||
        !covers(statement.resources, question.resource, LetterCase::Exact, question))
        return Verdict::Silent;
    for (const PolicyCondition& condition : statement.conditions)
        if (!holds(condition, question)) return Verdict::Silent;
    if (!statement.is_allow) return Verdict::Denies;
    return named == Named::Itself ? Verdict::Allows : Verdict::AllowsAccount;
}

}  // namespace

Verdict verdict_of(const Policy& policy, const AccessQuestion& question) {
    Verdict strongest = Verdict::Silent;
    for (const PolicyStatement& statement : policy.statements)
        strongest = std::max(strongest, verdict_of(statement, policy.kind, question));
    return strongest;
}

Access decide(const AccessQuestion& question, const Policy* resource_policy) {
    const Identity& identity = question.identity;
    Verdict by_identity = identity.policies.empty() ? Verdict::Allows : Verdict::Silent;
    for (const auto& policy : identity.policies)
        by_identity = std::max(by_identity, verdict_of(*policy, question));
    if (by_identity == Verdict::Denies) return Access::DeniedByIdentityPolicy;
    const Verdict by_resource =
        resource_policy == nullptr ? Verdict::Silent : verdict_of(*resource_policy, question);
    if (by_resource == Verdict::Denies) return Access::DeniedByResourcePolicy;

    const bool is_own =
        question.resource_account.empty() || question.resource_account == identity.account;
    if (is_own) {
        const bool may = by_identity == Verdict::Allows || by_resource == Verdict::Allows;
        return may ? Access::Granted : Access::NoIdentityPolicyAllows;
    }
    if (by_identity != Verdict::Allows) return Access::NoIdentityPolicyAllows;
    return by_resource == Verdict::Silent ? Access::NoResourcePolicyAllows : Access::Granted;
}

std::string denial_text(const AccessQuestion& question, Access access) {
    std::string why;
    switch (access) {
        case Access::Granted:
            break;
        case Access::DeniedByIdentityPolicy:
            why = "with an explicit deny in an identity-based policy";
            break;
        case Access::DeniedByResourcePolicy:
            why = "with an explicit deny in a resource-based policy";
            break;
        case Access::NoIdentityPolicyAllows:
            why = fmt::format("because no identity-based policy allows the {} action",
                              question.action);
            break;
        case Access::NoResourcePolicyAllows:
            why = fmt::format("because no resource-based policy allows the {} action",
                              question.action);
            break;
    }
    return fmt::format("User: {} is not authorized to perform: {} on resource: {} {}",
                       question.identity.arn, question.action, question.resource, why);
}

}  // namespace tidemill

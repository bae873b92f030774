#include "engine/security/access_question.h"

#include <fmt/format.h>

#include "engine/security/signature_time.h"
#include "engine/security/wildcard.h"

namespace tidemill {
namespace {

std::string iso_time(WallTime time) {
    const std::string basic = basic_time(time);
    return fmt::format("{}-{}-{}T{}:{}:{}Z", basic.substr(0, 4), basic.substr(4, 2),
                       basic.substr(6, 2), basic.substr(9, 2), basic.substr(11, 2),
                       basic.substr(13, 2));
}

std::optional<std::string> unless_empty(std::string_view text) {
    if (text.empty()) return std::nullopt;
    return std::string(text);
}

std::optional<std::string> user_name(const Identity& identity) {
    const auto at = identity.arn.find(":user/");
    if (at == std::string::npos) return std::nullopt;
    return identity.arn.substr(identity.arn.rfind('/') + 1);
}

std::string principal_type(const Identity& identity) {
    if (!identity.role_arn.empty()) return "AssumedRole";
    return identity.arn.ends_with(":root") ? "Account" : "User";
}

struct Key {
    std::string_view name;
    std::optional<std::string> (*value)(const AccessQuestion&);
};
using Q = const AccessQuestion&;
using Value = std::optional<std::string>;

constexpr Key kKeys[] = {
    {"aws:PrincipalArn",
     [](Q q) -> Value {
         return q.identity.role_arn.empty() ? q.identity.arn : q.identity.role_arn;
     }},
    {"aws:PrincipalAccount", [](Q q) -> Value { return q.identity.account; }},
    {"aws:PrincipalType", [](Q q) -> Value { return principal_type(q.identity); }},
    {"aws:username", [](Q q) { return user_name(q.identity); }},
    {"aws:SourceIp", [](Q q) { return unless_empty(q.source_ip); }},
    {"aws:UserAgent", [](Q q) { return unless_empty(q.user_agent); }},
    {"aws:SecureTransport", [](Q q) -> Value { return q.is_secure ? "true" : "false"; }},
    {"aws:CurrentTime", [](Q q) -> Value { return iso_time(q.now); }},
    {"aws:EpochTime", [](Q q) -> Value { return fmt::format("{}", to_millis(q.now) / 1000); }},
    {"aws:RequestedRegion", [](Q q) { return unless_empty(q.region); }},
    {"aws:ResourceAccount", [](Q q) { return unless_empty(q.resource_account); }},
};
constexpr std::string_view kTagPrefix = "aws:ResourceTag/";

}  // namespace

std::optional<std::string> context_value(const AccessQuestion& question, std::string_view key) {
    for (const Key& known : kKeys)
        if (equal_ignoring_case(known.name, key)) return known.value(question);
    if (question.resource_tags == nullptr || key.size() <= kTagPrefix.size() ||
        !equal_ignoring_case(key.substr(0, kTagPrefix.size()), kTagPrefix))
        return std::nullopt;
    const auto wanted = key.substr(kTagPrefix.size());
    for (const auto& [name, value] : *question.resource_tags)
        if (equal_ignoring_case(name, wanted)) return value;
    return std::nullopt;
}

}  // namespace tidemill

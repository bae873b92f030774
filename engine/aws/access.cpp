#include "engine/aws/access.h"

#include <memory>
#include <unordered_map>

#include "engine/security/access_decision.h"
#include "engine/security/policy.h"

namespace tidemill::aws {
namespace {

constexpr std::size_t kPoliciesKept = 256;

/// A resource's policy, parsed once on each core for as long as its text is in use.
std::shared_ptr<const Policy> parsed(std::string_view text) {
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const {
            return std::hash<std::string_view>{}(key);
        }
    };
    thread_local std::unordered_map<std::string, std::shared_ptr<const Policy>, Hash,
                                    std::equal_to<>>
        kept;
    if (const auto found = kept.find(text); found != kept.end()) return found->second;
    auto policy = parse_policy(text, PolicyKind::Resource);
    // It was checked when it was put; what has come in otherwise says nothing but no.
    auto made = policy ? std::make_shared<const Policy>(std::move(*policy)) : nullptr;
    if (kept.size() >= kPoliciesKept) kept.clear();
    kept.emplace(text, made);
    return made;
}

/// "127.0.0.1" of "127.0.0.1:40000".
std::string_view address_of(std::string_view peer) {
    std::string_view address = peer.substr(0, peer.rfind(':'));
    if (address.starts_with('[') && address.ends_with(']'))
        address = address.substr(1, address.size() - 2);
    return address.substr(0, address.find('%'));  // an IPv6 zone
}

const Identity& nobody() {
    static const Identity unknown{.account = std::string(kNoAccount),
                                  .arn = std::string(Caller{}.arn())};
    return unknown;
}

}  // namespace

ApiStatus authorize_by_policies(const Caller& caller, const std::string& action,
                                const std::string& arn, const Target& target, Clock& clock) {
    const auto policy = target.policy.empty() ? nullptr : parsed(target.policy);
    const bool is_broken = !target.policy.empty() && policy == nullptr;
    AccessQuestion question{.identity = caller.is_known() ? *caller.identity : nobody(),
                            .action = action,
                            .resource = arn,
                            .resource_account = target.account,
                            .resource_tags = target.tags,
                            .region = caller.region,
                            .now = clock.wall_now()};
    if (question.resource_account.empty()) question.resource_account = question.identity.account;
    if (caller.request != nullptr) {
        question.source_ip = address_of(caller.request->peer);
        question.is_secure = caller.request->is_secure;
        question.user_agent = caller.request->header("User-Agent");
    }
    const Access access =
        is_broken ? Access::DeniedByResourcePolicy : decide(question, policy.get());
    if (access == Access::Granted) return {};
    return refuse("AccessDeniedException", denial_text(question, access));
}

}  // namespace tidemill::aws

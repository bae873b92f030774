// link: engine/security
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/check.h"
#include "engine/security/access_decision.h"

/// Policy documents: no input breaks the parser, and what it takes can be asked. A document that
/// says nothing of an action lets nobody from elsewhere in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tidemill;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const std::map<std::string, std::string> tags{{"team", "a"}};
    for (const PolicyKind kind : {PolicyKind::Identity, PolicyKind::Resource}) {
        auto policy = parse_policy(text, kind);
        if (!policy) {
            TM_CHECK(!policy.error().message.empty());
            continue;
        }
        Identity identity{"999988887777", "arn:aws:iam::999988887777:user/a"};
        if (kind == PolicyKind::Identity)
            identity.policies.push_back(std::make_shared<const Policy>(*policy));
        const AccessQuestion question{
            .identity = identity,
            .action = "kinesis:PutRecord",
            .resource = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks",
            .resource_account = "111122223333",
            .resource_tags = &tags,
            .source_ip = "192.0.2.1",
            .now = from_millis(1'700'000'000'000)};
        const Access access = decide(question, kind == PolicyKind::Resource ? &*policy : nullptr);
        const bool says_allow =
            kind == PolicyKind::Resource && verdict_of(*policy, question) >= Verdict::AllowsAccount;
        TM_CHECK(access != Access::Granted || says_allow);
    }
    return 0;
}

#include "engine/kinesis/access.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/aws/access.h"

namespace tidemill::kinesis {
namespace {

constexpr std::string_view kService = "kinesis";

/// Operations of an account: about no stream, or about all of them.
constexpr std::array<std::string_view, 8> kAccountOperations{
    "ListStreams",  "DescribeLimits", "DescribeAccountSettings", "UpdateAccountSettings",
    "ListChannels", "CreateChannel",  "DeleteChannel",           "DescribeChannel"};

std::string arn_of(const Call& call, std::string_view account, std::string_view stream) {
    return fmt::format("arn:aws:kinesis:{}:{}:stream/{}", call.caller.region, account, stream);
}

}  // namespace

bool is_owned_by(const StreamInfo& stream, std::string_view account, const Caller& caller) {
    return account ==
           (stream.owner_account.empty() ? caller.account : std::string_view(stream.owner_account));
}

std::string_view owner_of(const Call& call, const StreamInfo& stream) {
    return stream.owner_account.empty() ? call.caller.account
                                        : std::string_view(stream.owner_account);
}

ApiStatus authorize_stream(const Call& call, std::string_view account, std::string_view name,
                           const StreamInfo* stream) {
    Target target{.account = account};
    if (stream != nullptr) {
        target.policy = stream->policy;
        target.tags = &stream->tags;
    }
    return authorize(call.caller, kService, call.operation, target, call.clock,
                     [&] { return arn_of(call, account, name); });
}

ApiStatus authorize_stream(const Call& call, const StreamInfo& stream) {
    return authorize_stream(call, owner_of(call, stream), stream.name, &stream);
}

ApiStatus authorize_consumer(const Call& call, const StreamInfo& stream,
                             const ConsumerInfo& consumer) {
    const std::string_view account = owner_of(call, stream);
    const Target target{.account = account, .policy = consumer.policy, .tags = &consumer.tags};
    return authorize(call.caller, kService, call.operation, target, call.clock, [&] {
        return fmt::format("{}/consumer/{}:{}", arn_of(call, account, stream.name), consumer.name,
                           to_millis(consumer.created) / 1000);
    });
}

ApiStatus authorize_without_stream(const Call& call) {
    if (!call.caller.is_restricted()) return {};
    const Target target{.account = call.caller.account};
    if (call.operation == "CreateStream")
        return authorize(call.caller, kService, call.operation, target, call.clock, [&] {
            return arn_of(call, call.caller.account, call.input.text_or("StreamName", ""));
        });
    if (std::ranges::find(kAccountOperations, call.operation) == kAccountOperations.end())
        return {};
    return authorize(call.caller, kService, call.operation, target, call.clock,
                     [] { return std::string("*"); });
}

}  // namespace tidemill::kinesis

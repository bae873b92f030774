// PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy.
#include <fmt/format.h>

#include "engine/kinesis/operations.h"
#include "engine/kinesis/resource.h"
#include "engine/security/policy.h"

namespace tidemill::kinesis {
namespace {

const std::string& policy_of(const Resource& resource) {
    return resource.consumer != nullptr ? resource.consumer->policy : resource.stream->policy;
}

std::unexpected<ApiError> no_policy(std::string_view arn) {
    return refuse("ResourceNotFoundException",
                  fmt::format("No resource policy found for resource ARN {}", arn));
}

Task<ApiStatus> set_policy(Call& call, Resource resource, std::string policy) {
    const Status status =
        resource.consumer != nullptr
            ? co_await call.service.set_consumer_policy(resource.consumer_ref(), std::move(policy))
            : co_await call.service.set_policy(resource.stream->name, std::move(policy));
    if (!status) co_return resource_failure(call, resource, status.error());
    co_return ApiStatus{};
}

}  // namespace

Task<ApiStatus> put_resource_policy(Call& call) {
    auto resource = find_resource(call, call.input.text_or("ResourceARN", ""));
    if (!resource) co_return std::unexpected(resource.error());
    std::string policy(call.input.text_or("Policy", ""));
    if (const auto parsed = parse_policy(policy); !parsed)
        co_return invalid_argument(parsed.error().message);
    co_return co_await set_policy(call, std::move(*resource), std::move(policy));
}

Task<ApiStatus> get_resource_policy(Call& call) {
    const auto arn = call.input.text_or("ResourceARN", "");
    const auto resource = find_resource(call, arn);
    if (!resource) co_return std::unexpected(resource.error());
    const std::string& policy = policy_of(*resource);
    if (policy.empty()) co_return no_policy(arn);
    call.answer().begin_object().member("Policy", policy).end_object();
    co_return ApiStatus{};
}

Task<ApiStatus> delete_resource_policy(Call& call) {
    const auto arn = call.input.text_or("ResourceARN", "");
    auto resource = find_resource(call, arn);
    if (!resource) co_return std::unexpected(resource.error());
    if (policy_of(*resource).empty()) co_return no_policy(arn);
    co_return co_await set_policy(call, std::move(*resource), "");
}

}  // namespace tidemill::kinesis

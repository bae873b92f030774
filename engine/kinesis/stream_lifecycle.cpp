// CreateStream, DeleteStream.
#include <fmt/format.h>

#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"
#include "engine/kinesis/stream_document.h"
#include "engine/kinesis/tag_members.h"

namespace tidemill::kinesis {
namespace {

constexpr std::uint32_t kOnDemandShards = 4;

}  // namespace

Task<ApiStatus> create_stream(Call& call) {
    CreateStream request;
    request.name = call.input.text_or("StreamName", "");
    request.owner_account = call.caller.account;
    request.mode = mode_member(call.input).value_or(request.mode);
    request.distribution = distribution_member(call.input).value_or(request.distribution);
    request.max_record_bytes =
        max_record_bytes_member(call.input).value_or(request.max_record_bytes);
    request.warm_mib_per_second = count_member(call.input, "WarmThroughputMiBps").value_or(0);
    request.tags = tags_of(call.input);
    const Value* shards = call.input.find("ShardCount");
    if (request.mode == StreamMode::OnDemand) {
        if (shards != nullptr)
            co_return invalid_argument(
                "ShardCount must not be given for a stream in ON_DEMAND mode.");
        request.shard_count = kOnDemandShards;
    } else {
        if (shards == nullptr)
            co_return invalid_argument(
                "ShardCount must be given for a stream in PROVISIONED mode.");
        request.shard_count = static_cast<std::uint32_t>(
            std::min<std::int64_t>(call.input.integer_or("ShardCount", 1), UINT32_MAX));
    }
    if (auto status = check_shard_quota(call, request.shard_count); !status) co_return status;
    const std::string name = request.name;
    const auto made = co_await call.service.create_stream(std::move(request));
    if (!made) co_return stream_failure(call, name, made.error());
    co_return ApiStatus{};
}

Task<ApiStatus> delete_stream(Call& call) {
    const auto stream = find_stream(call);
    if (!stream) co_return std::unexpected(stream.error());
    const std::string name = (*stream)->name;
    const bool with_consumers = call.input.boolean_or("EnforceConsumerDeletion", false);
    const Status deleted = co_await call.service.delete_stream(name, with_consumers);
    if (!deleted && deleted.error().code == Errc::ResourceInUse)
        co_return refuse(
            "ResourceInUseException",
            fmt::format("DeleteStream can't delete {} because there are consumers associated with "
                        "this data stream. To delete {} anyway, set the EnforceConsumerDeletion "
                        "parameter to true to force the deletion of all the consumers that are "
                        "associated with it.",
                        call.stream_arn(name), name));
    if (!deleted) co_return stream_failure(call, name, deleted.error());
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis

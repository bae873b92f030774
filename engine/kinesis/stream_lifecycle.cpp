// CreateStream, DeleteStream.
#include <fmt/format.h>

#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"

namespace tidemill::kinesis {
namespace {

constexpr std::uint32_t kOnDemandShards = 4;

}  // namespace

Task<ApiStatus> create_stream(Call& call) {
    CreateStream request;
    request.name = call.input.text_or("StreamName", "");
    const Value* mode = call.input.find("StreamModeDetails");
    const bool is_on_demand = mode != nullptr && mode->text_or("StreamMode", "") == "ON_DEMAND";
    const Value* shards = call.input.find("ShardCount");
    if (is_on_demand) {
        if (shards != nullptr)
            co_return invalid_argument(
                "ShardCount must not be given for a stream in ON_DEMAND mode.");
        request.mode = StreamMode::OnDemand;
        request.shard_count = kOnDemandShards;
    } else {
        if (shards == nullptr)
            co_return invalid_argument(
                "ShardCount must be given for a stream in PROVISIONED mode.");
        request.shard_count = static_cast<std::uint32_t>(
            std::min<std::int64_t>(call.input.integer_or("ShardCount", 1), UINT32_MAX));
    }
    if (const Value* tags = call.input.find("Tags"))
        for (const auto& [key, value] : *tags->map())
            if (const auto* text = value.text()) request.tags[key] = *text;
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
    const Status deleted = co_await call.service.delete_stream(name);
    if (!deleted) co_return stream_failure(call, name, deleted.error());
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis

// SplitShard, MergeShards, UpdateShardCount. What is allowed the service decides; refusals that AWS
// words by account or in its own order are looked for first.
#include <fmt/format.h>

#include "engine/aws/document_writer.h"
#include "engine/catalog/reshard.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"

namespace tidemill::kinesis {
namespace {

std::string_view name_of(StreamStatus status) {
    return status == StreamStatus::Updating   ? "UPDATING"
           : status == StreamStatus::Creating ? "CREATING"
           : status == StreamStatus::Deleting ? "DELETING"
                                              : "ACTIVE";
}

std::unexpected<ApiError> not_active(const Call& call, const StreamInfo& stream,
                                     StreamStatus status) {
    return refuse("ResourceInUseException",
                  fmt::format("Stream {} under account {} not ACTIVE, instead in state {}",
                              stream.name, call.caller.account, name_of(status)));
}

/// The stream, when its shards may be changed.
ApiResult<StreamPtr> changeable_stream(const Call& call) {
    auto stream = find_stream(call);
    if (!stream) return stream;
    if ((*stream)->status != StreamStatus::Active)
        return not_active(call, **stream, (*stream)->status);
    if ((*stream)->mode == StreamMode::OnDemand)
        return refuse("ValidationException",
                      fmt::format("Stream {} under account {} is in ON_DEMAND mode: its shards "
                                  "are not changed by requests.",
                                  (*stream)->name, call.caller.account));
    return stream;
}

/// Timeout: the change goes on, as it does at AWS after every answer.
ApiStatus answer_of(const Call& call, const StreamInfo& stream, const Result<StreamPtr>& changed) {
    if (changed || changed.error().code == Errc::Timeout) return {};
    const Error& error = changed.error();
    if (error.code == Errc::ResourceInUse) return not_active(call, stream, StreamStatus::Updating);
    if (error.code == Errc::NotFound && !call.service.find_stream(stream.name))
        return stream_not_found(call, stream.name);
    return std::unexpected(to_api_error(error));
}

}  // namespace

Task<ApiStatus> split_shard(Call& call) {
    const auto stream = changeable_stream(call);
    if (!stream) co_return std::unexpected(stream.error());
    const auto shard = find_shard(call, **stream, call.input.text_or("ShardToSplit", ""));
    if (!shard) co_return std::unexpected(shard.error());
    const auto text = call.input.text_or("NewStartingHashKey", "");
    const auto key = parse_decimal_uint128(text);
    if (!key)
        co_return invalid_argument(
            fmt::format("Invalid NewStartingHashKey. NewStartingHashKey must be in the range: [0, "
                        "2^128-1]. Specified value was {}",
                        text));
    if (auto status = check_shard_quota(call, 1); !status) co_return status;
    const HashRange& range = (*shard)->range;
    if (!may_split_at(range, *key))
        co_return invalid_argument(fmt::format(
            "NewStartingHashKey {} used in SplitShard() on shard {} in stream {} under account {} "
            "is not both greater than one plus the shard's StartingHashKey {} and less than the "
            "shard's EndingHashKey {}.",
            text, shard_id_text((*shard)->index), (*stream)->name, call.caller.account,
            to_decimal(range.first), to_decimal(range.last)));
    const auto changed = co_await call.service.split_shard((*stream)->name, (*shard)->index, *key);
    co_return answer_of(call, **stream, changed);
}

Task<ApiStatus> merge_shards(Call& call) {
    const auto stream = changeable_stream(call);
    if (!stream) co_return std::unexpected(stream.error());
    const auto shard = find_shard(call, **stream, call.input.text_or("ShardToMerge", ""));
    if (!shard) co_return std::unexpected(shard.error());
    const auto other = find_shard(call, **stream, call.input.text_or("AdjacentShardToMerge", ""));
    if (!other) co_return std::unexpected(other.error());
    // In this order only, unlike the service.
    if (!is_followed_by((*shard)->range, (*other)->range) || !(*shard)->is_open() ||
        !(*other)->is_open())
        co_return invalid_argument(fmt::format(
            "Shards {} and {} in stream {} under account {} are not an adjacent pair of shards "
            "eligible for merging",
            shard_id_text((*shard)->index), shard_id_text((*other)->index), (*stream)->name,
            call.caller.account));
    const auto changed =
        co_await call.service.merge_shards((*stream)->name, (*shard)->index, (*other)->index);
    co_return answer_of(call, **stream, changed);
}

Task<ApiStatus> update_shard_count(Call& call) {
    const auto stream = changeable_stream(call);
    if (!stream) co_return std::unexpected(stream.error());
    const auto current = static_cast<std::int64_t>((*stream)->open.size());
    const std::int64_t target = call.input.integer_or("TargetShardCount", 0);
    const auto changed = co_await call.service.scale_stream(
        (*stream)->name, static_cast<std::uint32_t>(std::min<std::int64_t>(target, UINT32_MAX)));
    if (auto status = answer_of(call, **stream, changed); !status) co_return status;
    DocumentWriter out = call.answer();
    out.begin_object();
    out.member("StreamName", std::string_view((*stream)->name));
    out.member("CurrentShardCount", current);
    out.member("TargetShardCount", target);
    out.member("StreamARN", std::string_view(call.stream_arn(**stream)));
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis

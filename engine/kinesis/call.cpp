#include "engine/kinesis/call.h"

#include <fmt/format.h>

#include "engine/kinesis/access.h"
#include "engine/kinesis/error_map.h"

namespace tidemill::kinesis {

std::string Call::stream_arn(std::string_view stream) const {
    return fmt::format("arn:aws:kinesis:{}:{}:stream/{}", caller.region, caller.account, stream);
}

std::string Call::stream_arn(const StreamInfo& stream) const {
    return fmt::format("arn:aws:kinesis:{}:{}:stream/{}", caller.region, owner_of(*this, stream),
                       stream.name);
}

std::unexpected<ApiError> stream_not_found(const Call& call, std::string_view name) {
    return refuse("ResourceNotFoundException",
                  fmt::format("Stream {} under account {} not found.", name, call.caller.account));
}

namespace {

/// A stream by the account that a request puts it in.
struct StreamName {
    std::string_view account, name;
};

ApiResult<StreamName> stream_name(const Call& call, std::string_view name, std::string_view arn) {
    std::string_view account = call.caller.account;
    if (!arn.empty()) {
        // Its form has been checked: arn:aws*:kinesis:<region>:<account>:stream/<name>.
        const auto at = arn.find(":stream/");
        const std::string_view named = arn.substr(at + 8);
        if (!name.empty() && name != named)
            return invalid_argument(
                fmt::format("StreamName {} and StreamARN {} name different streams.", name, arn));
        name = named;
        account = arn.substr(at - 12, 12);
    }
    if (name.empty())
        return refuse("ValidationException",
                      "1 validation error detected: Value null at 'streamName' failed to satisfy "
                      "constraint: Member must not be null");
    return StreamName{account, name};
}

/// Null when the account has none of that name.
StreamPtr stream_of(const Call& call, const StreamName& named) {
    auto found = call.service.find_stream(named.name);
    return found && is_owned_by(**found, named.account, call.caller) ? std::move(*found) : nullptr;
}

std::unexpected<ApiError> not_found(const StreamName& named) {
    return refuse("ResourceNotFoundException",
                  fmt::format("Stream {} under account {} not found.", named.name, named.account));
}

}  // namespace

ApiResult<StreamPtr> locate_stream(const Call& call, std::string_view name, std::string_view arn) {
    const auto named = stream_name(call, name, arn);
    if (!named) return std::unexpected(named.error());
    StreamPtr stream = stream_of(call, *named);
    if (stream == nullptr) return not_found(*named);
    return stream;
}

ApiResult<StreamPtr> find_stream(const Call& call, std::string_view name, std::string_view arn) {
    const auto named = stream_name(call, name, arn);
    if (!named) return std::unexpected(named.error());
    StreamPtr stream = stream_of(call, *named);
    // A stranger has no policies that could say more.
    const bool is_unasked =
        stream == nullptr && named->account != call.caller.account && !call.caller.is_known();
    if (!is_unasked)
        if (auto status = authorize_stream(call, named->account, named->name, stream.get());
            !status)
            return std::unexpected(status.error());
    if (stream == nullptr) return not_found(*named);
    return stream;
}

ApiResult<StreamPtr> find_stream(const Call& call) {
    return find_stream(call, call.input.text_or("StreamName", ""),
                       call.input.text_or("StreamARN", ""));
}

bool is_created_at(const Call& call, const StreamInfo& stream) {
    const auto wanted = time_member(call.input, "StreamCreationTimestamp");
    return !wanted || to_millis(*wanted) / 1000 == to_millis(stream.created) / 1000;
}

ApiResult<const ShardInfo*> find_shard(const Call& call, const StreamInfo& stream,
                                       std::string_view shard_id) {
    const auto index = parse_shard_id(shard_id);
    if (!index)
        return refuse("ResourceNotFoundException",
                      fmt::format("Could not find shard {} in stream {} under account {}.",
                                  shard_id, stream.name, call.caller.account));
    const ShardInfo* shard = stream.shard_by_index(*index);
    if (shard == nullptr)
        return refuse("ResourceNotFoundException",
                      fmt::format("Shard {} in stream {} under account {} does not exist", shard_id,
                                  stream.name, call.caller.account));
    return shard;
}

std::unexpected<ApiError> stream_failure(const Call& call, std::string_view name,
                                         const Error& error) {
    if (error.code == Errc::NotFound) return stream_not_found(call, name);
    if (error.code == Errc::AlreadyExists)
        return refuse(
            "ResourceInUseException",
            fmt::format("Stream {} under account {} already exists.", name, call.caller.account));
    return std::unexpected(to_api_error(error));
}

std::string shard_rate_exceeded(const Call& call, const StreamInfo& stream,
                                const ShardInfo& shard) {
    return fmt::format("Rate exceeded for shard {} in stream {} under account {}.",
                       shard_id_text(shard.index), stream.name, call.caller.account);
}

ApiStatus check_shard_quota(const Call& call, std::uint64_t more) {
    if (call.service.limits() == nullptr) return {};
    const auto exceeded = exceeded_shard_quota(*call.service.catalog(), more);
    if (!exceeded) return {};
    return refuse(
        "LimitExceededException",
        fmt::format("This request would exceed the shard limit for the account {} in {}. Current "
                    "shard count for the account: {}. Limit: {}.",
                    call.caller.account, call.caller.region, exceeded->open, exceeded->limit));
}

Task<ApiStatus> admit_operation(const Call& call, std::string_view operation) {
    RateLimits* limits = call.service.limits();
    if (limits == nullptr) co_return ApiStatus{};
    std::string_view stream = call.input.text_or("StreamName", "");
    if (const auto arn = call.input.text_or("StreamARN", ""); stream.empty())
        stream = arn.substr(arn.find('/') + 1);
    std::string scope(stream);
    if (operation == "SubscribeToShard")
        scope = fmt::format("{} {}", call.input.text_or("ConsumerARN", ""),
                            call.input.text_or("ShardId", ""));
    if (co_await limits->admit_operation(std::string(operation), std::string(call.caller.account),
                                         std::move(scope)))
        co_return ApiStatus{};
    co_return refuse("LimitExceededException",
                     stream.empty() ? fmt::format("Rate exceeded for {} under account {}.",
                                                  operation, call.caller.account)
                                    : fmt::format("Rate exceeded for stream {} under account {}.",
                                                  stream, call.caller.account));
}

}  // namespace tidemill::kinesis

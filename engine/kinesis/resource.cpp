#include "engine/kinesis/resource.h"

#include <charconv>

#include <fmt/format.h>

#include "engine/kinesis/access.h"
#include "engine/kinesis/error_map.h"

namespace tidemill::kinesis {
namespace {

constexpr std::string_view kStreamMark = ":stream/";
constexpr std::string_view kConsumerMark = "/consumer/";

std::unexpected<ApiError> consumer_not_found(const Call& call, std::string_view stream,
                                             std::string_view consumer) {
    return refuse("ResourceNotFoundException",
                  fmt::format("Consumer {} under stream {} under account {} not found.", consumer,
                              stream, call.caller.account));
}

std::int64_t seconds_of(WallTime time) { return to_millis(time) / 1000; }

/// `named`: "c:1700000000"
ApiResult<Resource> consumer_of(const Call& call, StreamPtr stream, std::string_view named) {
    const auto colon = named.rfind(':');
    const std::string_view name = named.substr(0, colon);
    const std::string_view created =
        colon == std::string_view::npos ? std::string_view{} : named.substr(colon + 1);
    std::int64_t seconds = 0;
    const auto parsed = std::from_chars(created.begin(), created.end(), seconds);
    const ConsumerInfo* consumer = stream->find_consumer(name);
    if (consumer == nullptr || created.empty() || parsed.ec != std::errc{} ||
        parsed.ptr != created.end() || seconds != seconds_of(consumer->created))
        return consumer_not_found(call, stream->name, name);
    return Resource{std::move(stream), consumer};
}

/// The consumer, if policies let the caller have it; that there is none is for those to know who
/// may carry out their operation on the stream.
ApiResult<Resource> authorized(const Call& call, const StreamPtr& stream,
                               ApiResult<Resource> found) {
    auto status = found ? authorize_consumer(call, *stream, *found->consumer)
                        : authorize_stream(call, *stream);
    if (!status) return std::unexpected(std::move(status).error());
    return found;
}

}  // namespace

ApiResult<Resource> find_resource(const Call& call, std::string_view arn) {
    if (arn.find(kStreamMark) == std::string_view::npos)
        return refuse("ResourceNotFoundException", fmt::format("Resource {} not found.", arn));
    const auto mark = arn.find(kConsumerMark);
    if (mark == std::string_view::npos) {
        auto stream = find_stream(call, "", arn);
        if (!stream) return std::unexpected(stream.error());
        return Resource{std::move(*stream)};
    }
    auto stream = locate_stream(call, "", arn.substr(0, mark));
    if (!stream) return std::unexpected(stream.error());
    return authorized(call, *stream,
                      consumer_of(call, *stream, arn.substr(mark + kConsumerMark.size())));
}

ApiResult<Resource> find_consumer(const Call& call) {
    const std::string_view arn = call.input.text_or("ConsumerARN", "");
    const std::string_view stream_arn = call.input.text_or("StreamARN", "");
    const std::string_view name = call.input.text_or("ConsumerName", "");
    if (arn.empty() && (stream_arn.empty() || name.empty()))
        return invalid_argument(
            "Either ConsumerARN or both StreamARN and ConsumerName must be specified.");
    if (arn.empty()) {
        auto stream = locate_stream(call, "", stream_arn);
        if (!stream) return std::unexpected(stream.error());
        const ConsumerInfo* consumer = (*stream)->find_consumer(name);
        if (consumer == nullptr)
            return authorized(call, *stream, consumer_not_found(call, (*stream)->name, name));
        return authorized(call, *stream, Resource{*stream, consumer});
    }
    const auto mark = arn.find(kConsumerMark);
    const std::string_view consumer = arn.substr(mark + kConsumerMark.size());
    const bool is_other_stream = !stream_arn.empty() && stream_arn != arn.substr(0, mark);
    const bool is_other_name = !name.empty() && name != consumer.substr(0, consumer.rfind(':'));
    if (is_other_stream || is_other_name)
        return invalid_argument(fmt::format(
            "ConsumerARN {} does not match the StreamARN and ConsumerName beside it.", arn));
    return find_resource(call, arn);
}

std::string consumer_arn(const Call& call, const StreamInfo& stream, const ConsumerInfo& consumer) {
    return fmt::format("{}{}{}:{}", call.stream_arn(stream), kConsumerMark, consumer.name,
                       seconds_of(consumer.created));
}

std::unexpected<ApiError> resource_failure(const Call& call, const Resource& resource,
                                           const Error& error) {
    if (error.code != Errc::NotFound) return std::unexpected(to_api_error(error));
    if (resource.consumer != nullptr && call.service.find_stream(resource.stream->name))
        return consumer_not_found(call, resource.stream->name, resource.consumer->name);
    return stream_not_found(call, resource.stream->name);
}

}  // namespace tidemill::kinesis

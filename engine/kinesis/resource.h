#pragma once

#include <string_view>

#include "engine/kinesis/call.h"

namespace tidemill::kinesis {

/// What an ARN names: a stream, or a consumer registered with it. Ownership: `consumer` lives as
/// long as `stream` is held.
struct Resource {
    StreamPtr stream;
    const ConsumerInfo* consumer = nullptr;  ///< null: the stream itself

    /// The very consumer, should another come to have its name.
    ConsumerRef consumer_ref() const { return {stream->name, consumer->name, consumer->created}; }
};

/// The stream or consumer of that ARN, whose form has been checked. Errors:
/// ResourceNotFoundException.
ApiResult<Resource> find_resource(const Call& call, std::string_view arn);

/// The consumer that ConsumerARN, or StreamARN and ConsumerName, or all of them name. Errors:
/// InvalidArgumentException when none or different ones are named, ResourceNotFoundException.
ApiResult<Resource> find_consumer(const Call& call);

/// "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1700000000"
std::string consumer_arn(const Call& call, const StreamInfo& stream, const ConsumerInfo& consumer);

/// The engine's errors of a change to `resource`, with what is gone meanwhile in AWS's words.
std::unexpected<ApiError> resource_failure(const Call& call, const Resource& resource,
                                           const Error& error);

}  // namespace tidemill::kinesis

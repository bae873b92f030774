#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/aws/api_error.h"
#include "engine/aws/caller.h"
#include "engine/aws/document_writer.h"
#include "engine/aws/value.h"
#include "engine/catalog/catalog.h"
#include "engine/http/http_message.h"
#include "engine/io/clock.h"
#include "engine/security/sealed_token.h"
#include "engine/service/stream_service.h"
#include "engine/telemetry/log.h"
#include "proto/batch_codec.h"

namespace tidemill::kinesis {

using namespace aws;  // the vocabulary that all AWS doors share

class Subscriptions;

/// What the calls of one core share to read record batches with. Used between two suspensions.
struct BatchReading {
    BatchOpener opener;
    std::uint64_t unreadable_batches = 0;  ///< skipped: what a producer wrote is no records
    log::RateLimit complaints{std::chrono::seconds{1}};
};

/// One call of one operation. Core: the connection's.
/// Ownership: lives until the operation's task ends; `body` with its padding too.
struct Call {
    StreamService& service;
    const TokenSealer& tokens;
    BatchReading& reading;
    Subscriptions& subscriptions;
    Clock& clock;
    Caller caller;
    std::string_view operation;  ///< "PutRecord"
    std::string_view body;       ///< as received
    Value input;         ///< parsed and checked against the operation's shape, unless the operation
                         ///< decodes itself
    Encoding encoding;   ///< of the answer
    std::string output;  ///< the answer's body, appended to by the operation
    /// Set by an operation that answers with events instead: writes them. It outlives the call.
    std::move_only_function<Task<void>(HttpBodyWriter&)> events{};

    /// Writes `output`.
    DocumentWriter answer() { return {output, encoding}; }
    std::string stream_arn(std::string_view stream) const;  ///< of the caller's account
    std::string stream_arn(const StreamInfo& stream) const;
};

/// "Stream s under account a not found."
std::unexpected<ApiError> stream_not_found(const Call& call, std::string_view name);

/// The stream that StreamName, StreamARN or both name. Errors: ValidationException when neither is
/// there, InvalidArgumentException when they differ, AccessDeniedException when policies do not let
/// the caller carry out its operation on it, ResourceNotFoundException.
ApiResult<StreamPtr> find_stream(const Call& call, std::string_view name, std::string_view arn);
/// The same without a look at policies: for what is more than a stream.
ApiResult<StreamPtr> locate_stream(const Call& call, std::string_view name, std::string_view arn);
/// find_stream with what `call.input` says.
ApiResult<StreamPtr> find_stream(const Call& call);

/// Whether StreamCreationTimestamp, where there is one, is the stream's, to the second.
bool is_created_at(const Call& call, const StreamInfo& stream);

/// The shard of that id. Errors: ResourceNotFoundException.
ApiResult<const ShardInfo*> find_shard(const Call& call, const StreamInfo& stream,
                                       std::string_view shard_id);

/// The engine's errors, with a stream's NotFound and AlreadyExists in AWS's words.
std::unexpected<ApiError> stream_failure(const Call& call, std::string_view name,
                                         const Error& error);

/// "Rate exceeded for shard ...", as AWS throttles a shard.
std::string shard_rate_exceeded(const Call& call, const StreamInfo& stream, const ShardInfo& shard);
/// Whether `more` open shards fit the account, where limits are kept. Errors:
/// LimitExceededException.
ApiStatus check_shard_quota(const Call& call, std::uint64_t more);
/// Whether the operation's own rate allows one more call. Errors: LimitExceededException.
Task<ApiStatus> admit_operation(const Call& call, std::string_view operation);

/// A text member; nothing when absent.
inline std::optional<std::string_view> text_member(const Value& input, std::string_view name) {
    if (input.find(name) == nullptr) return std::nullopt;
    return input.text_or(name, "");
}

/// A Timestamp member; nothing when absent.
inline std::optional<WallTime> time_member(const Value& input, std::string_view name) {
    return input.time_of(name);
}

}  // namespace tidemill::kinesis

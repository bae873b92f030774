// GetShardIterator.
#include <fmt/format.h>

#include "engine/aws/document_writer.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"
#include "engine/service/sequence.h"
#include "engine/service/shard_iterator.h"

namespace tidemill::kinesis {
namespace {

/// Type, StartingSequenceNumber and Timestamp must fit together.
ApiStatus check_combination(const Call& call) {
    const std::string_view type = call.input.text_or("ShardIteratorType", "");
    const bool has_number = call.input.find("StartingSequenceNumber") != nullptr;
    const bool wants_number = type == "AT_SEQUENCE_NUMBER" || type == "AFTER_SEQUENCE_NUMBER";
    if (has_number != wants_number)
        return invalid_argument(fmt::format(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
            "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no "
            "StartingSequenceNumber. Request specified {} and {} StartingSequenceNumber.",
            type, has_number ? "also a" : "no"));
    if (type != "AT_TIMESTAMP") return {};
    const auto time = time_member(call.input, "Timestamp");
    if (!time)
        return invalid_argument(
            "Must specify timestampInMillis parameter for iterator of type "
            "AT_TIMESTAMP. Current request has no timestamp parameter.");
    if (const WallTime now = call.clock.wall_now(); *time > now)
        return invalid_argument(fmt::format(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
            "timestampInMillis: {}, currentTimestampInMillis: {}",
            to_millis(*time), to_millis(now)));
    return {};
}

std::unexpected<ApiError> invalid_number(const Call& call, const StreamInfo& stream,
                                         const ShardInfo& shard, std::string_view why = "") {
    return invalid_argument(
        fmt::format("StartingSequenceNumber {} used in GetShardIterator on shard {} in "
                    "stream {} under account {} is invalid{}.",
                    call.input.text_or("StartingSequenceNumber", ""), shard_id_text(shard.index),
                    stream.name, call.caller.account, why));
}

ApiResult<SequenceNumber> starting_number(const Call& call, const StreamInfo& stream,
                                          const ShardInfo& shard) {
    const auto number = SequenceNumber::parse(call.input.text_or("StartingSequenceNumber", ""));
    if (!number) return invalid_number(call, stream, shard);
    if (number->shard_index != shard.index)
        return invalid_argument(
            fmt::format("Invalid StartingSequenceNumber. It encodes {}, while it was used "
                        "in a call to a shard with {}",
                        shard_id_text(number->shard_index), shard_id_text(shard.index)));
    if (number->shard_created_s != to_millis(shard.created) / 1000)
        return invalid_number(call, stream, shard, " because it did not come from this stream");
    return *number;
}

/// Where reading begins. Everything but TRIM_HORIZON is settled now: what is written between this
/// call and the first GetRecords must not be lost.
Task<ApiResult<Ordinal>> first_ordinal(const Call& call, const StreamInfo& stream,
                                       const ShardInfo& shard) {
    const std::string_view type = call.input.text_or("ShardIteratorType", "");
    if (type == "TRIM_HORIZON") co_return Ordinal{0};
    if (type == "AT_TIMESTAMP") {
        const auto ordinal =
            co_await call.service.seek_time(shard.uid, *time_member(call.input, "Timestamp"));
        if (!ordinal) co_return std::unexpected(to_api_error(ordinal.error()));
        co_return *ordinal;
    }
    const auto tail = co_await call.service.tail(shard.uid);
    if (!tail) co_return std::unexpected(to_api_error(tail.error()));
    if (type == "LATEST") co_return tail->end;
    const auto number = starting_number(call, stream, shard);
    if (!number) co_return std::unexpected(number.error());
    if (number->ordinal == kEndingOrdinal && !shard.is_open()) co_return tail->end;
    const Ordinal from =
        type == "AT_SEQUENCE_NUMBER" ? ordinal_at(*number) : ordinal_after(*number);
    if (from > tail->end)
        co_return invalid_number(call, stream, shard, " because it did not come from this stream");
    co_return from;
}

}  // namespace

Task<ApiStatus> get_shard_iterator(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = **found;
    const auto shard = find_shard(call, stream, call.input.text_or("ShardId", ""));
    if (!shard) co_return std::unexpected(shard.error());
    if (auto status = check_combination(call); !status) co_return status;
    if (RateLimits* limits = call.service.limits())
        if (!co_await limits->admit_iterator((*shard)->uid))
            co_return refuse("ProvisionedThroughputExceededException",
                             shard_rate_exceeded(call, stream, **shard));
    const auto next = co_await first_ordinal(call, stream, **shard);
    if (!next) co_return std::unexpected(next.error());
    if (call.input.boolean_or("DryRun", false))
        co_return refuse("DryRunOperationException", "The request would have succeeded.");

    const ShardIterator iterator{.stream_name = stream.name,
                                 .stream = stream.uid,
                                 .shard = (*shard)->uid,
                                 .shard_index = (*shard)->index,
                                 .next = *next,
                                 .created = call.clock.wall_now()};
    DocumentWriter out = call.answer();
    out.begin_object();
    out.key("ShardIterator").plain_text(seal_iterator(call.tokens, iterator));
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis

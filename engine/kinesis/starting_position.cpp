#include "engine/kinesis/starting_position.h"

#include <fmt/format.h>

#include "engine/kinesis/error_map.h"
#include "engine/service/sequence.h"

namespace tidemill::kinesis {
namespace {

/// What errors say of a number.
struct Use {
    const Call& call;
    const StreamInfo& stream;
    const ShardInfo& shard;
    std::string_view number, operation;

    std::unexpected<ApiError> is_invalid(std::string_view why = "") const {
        return invalid_argument(fmt::format(
            "StartingSequenceNumber {} used in {} on shard {} in stream {} under account {} is "
            "invalid{}.",
            number, operation, shard_id_text(shard.index), stream.name, call.caller.account, why));
    }
};

ApiResult<SequenceNumber> starting_number(const Use& use) {
    const auto number = SequenceNumber::parse(use.number);
    if (!number) return use.is_invalid();
    if (number->shard_index != use.shard.index)
        return invalid_argument(
            fmt::format("Invalid StartingSequenceNumber. It encodes {}, while it was used "
                        "in a call to a shard with {}",
                        shard_id_text(number->shard_index), shard_id_text(use.shard.index)));
    if (number->shard_created_s != to_millis(use.shard.created) / 1000)
        return use.is_invalid(" because it did not come from this stream");
    return *number;
}

}  // namespace

ApiStatus check_position(const Call& call, const StartingPosition& position) {
    const std::string_view type = position.type;
    const bool has_number = position.number.has_value();
    const bool wants_number = type == "AT_SEQUENCE_NUMBER" || type == "AFTER_SEQUENCE_NUMBER";
    if (has_number != wants_number)
        return invalid_argument(fmt::format(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
            "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no "
            "StartingSequenceNumber. Request specified {} and {} StartingSequenceNumber.",
            type, has_number ? "also a" : "no"));
    if (type != "AT_TIMESTAMP") return {};
    if (!position.time)
        return invalid_argument(
            "Must specify timestampInMillis parameter for iterator of type "
            "AT_TIMESTAMP. Current request has no timestamp parameter.");
    if (const WallTime now = call.clock.wall_now(); *position.time > now)
        return invalid_argument(fmt::format(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
            "timestampInMillis: {}, currentTimestampInMillis: {}",
            to_millis(*position.time), to_millis(now)));
    return {};
}

Task<ApiResult<Ordinal>> first_ordinal(const Call& call, const StreamInfo& stream,
                                       const ShardInfo& shard, const StartingPosition& position,
                                       std::string_view operation) {
    if (position.type == "TRIM_HORIZON") co_return Ordinal{0};
    if (position.type == "AT_TIMESTAMP") {
        const auto ordinal = co_await call.service.seek_time(shard.uid, *position.time);
        if (!ordinal) co_return std::unexpected(to_api_error(ordinal.error()));
        co_return *ordinal;
    }
    const auto tail = co_await call.service.tail(shard.uid);
    if (!tail) co_return std::unexpected(to_api_error(tail.error()));
    if (position.type == "LATEST") co_return tail->end;
    const Use use{call, stream, shard, *position.number, operation};
    const auto number = starting_number(use);
    if (!number) co_return std::unexpected(number.error());
    if (number->ordinal == kEndingOrdinal && !shard.is_open()) co_return tail->end;
    const Ordinal from =
        position.type == "AT_SEQUENCE_NUMBER" ? ordinal_at(*number) : ordinal_after(*number);
    if (from > tail->end) co_return use.is_invalid(" because it did not come from this stream");
    co_return from;
}

}  // namespace tidemill::kinesis

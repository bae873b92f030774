// GetShardIterator.
#include "engine/aws/document_writer.h"
#include "engine/kinesis/operations.h"
#include "engine/kinesis/starting_position.h"
#include "engine/service/shard_iterator.h"

namespace tidemill::kinesis {
Task<ApiStatus> get_shard_iterator(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = **found;
    const auto shard = find_shard(call, stream, call.input.text_or("ShardId", ""));
    if (!shard) co_return std::unexpected(shard.error());
    const StartingPosition position{call.input.text_or("ShardIteratorType", ""),
                                    text_member(call.input, "StartingSequenceNumber"),
                                    time_member(call.input, "Timestamp")};
    if (auto status = check_position(call, position); !status) co_return status;
    if (RateLimits* limits = call.service.limits())
        if (!co_await limits->admit_iterator((*shard)->uid))
            co_return refuse("ProvisionedThroughputExceededException",
                             shard_rate_exceeded(call, stream, **shard));
    const auto next = co_await first_ordinal(call, stream, **shard, position, "GetShardIterator");
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

// SubscribeToShard.
#include "engine/kinesis/operations.h"
#include "engine/kinesis/resource.h"
#include "engine/kinesis/shard_subscription.h"
#include "engine/kinesis/starting_position.h"

namespace tidemill::kinesis {

Task<ApiStatus> subscribe_to_shard(Call& call) {
    const auto found = find_consumer(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = *found->stream;
    const auto shard = find_shard(call, stream, call.input.text_or("ShardId", ""));
    if (!shard) co_return std::unexpected(shard.error());
    const Value& wanted = *call.input.find("StartingPosition");
    const StartingPosition position{wanted.text_or("Type", ""),
                                    text_member(wanted, "SequenceNumber"),
                                    time_member(wanted, "Timestamp")};
    if (auto status = check_position(call, position); !status) co_return status;
    const auto from = co_await first_ordinal(call, stream, **shard, position, "SubscribeToShard");
    if (!from) co_return std::unexpected(from.error());
    if (call.input.boolean_or("DryRun", false))
        co_return refuse("DryRunOperationException", "The request would have succeeded.");

    const SubscriptionKey key{(*shard)->uid, (*shard)->index, found->consumer->name,
                              to_millis(found->consumer->created)};
    auto claim = co_await call.subscriptions.claim(key);
    if (claim == nullptr)
        co_return refuse("ResourceInUseException",
                         another_subscription(call.caller.account, stream.name, key));
    auto subscription = std::make_unique<ShardSubscription>(ShardSubscription::Begin{
        call.service, call.subscriptions, call.reading, std::move(claim), found->stream,
        (*shard)->index, *from, call.encoding, std::string(call.caller.account)});
    call.events = [subscription = std::move(subscription)](HttpBodyWriter& to) -> Task<void> {
        return subscription->run(to);
    };
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis

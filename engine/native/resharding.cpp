#include "engine/native/native_requests.h"
#include "engine/native/stream_reply.h"

namespace tidemill {
namespace {

using wire::Kind;

Task<Result<std::shared_ptr<const StreamInfo>>> split(StreamService& service,
                                                      const wire::SplitShardRequest& wish) {
    std::optional<uint128> key;
    if (wish.has_key()) {
        if (wish.first_key_of_second() == nullptr)
            co_return fail(Errc::InvalidArgument, "a split at a key, and no key");
        const auto& given = *wish.first_key_of_second();
        key = uint128{given.high()} << 64 | given.low();
    }
    co_return co_await service.split_shard(wire::text_of(wish.stream()), wish.shard_index(), key);
}

}  // namespace

Task<Status> answer_resharding(NativeConnection& connection, const NativeRequest& request,
                               NativeReply& reply) {
    StreamService& service = connection.service();
    switch (static_cast<Kind>(request.kind)) {
        case Kind::SplitShard: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::SplitShardRequest>());
            CO_ASSIGN(const auto stream, co_await split(service, *wish));
            send_stream(*stream, {}, reply);
            co_return Status{};
        }
        case Kind::MergeShards: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::MergeShardsRequest>());
            CO_ASSIGN(const auto stream,
                      co_await service.merge_shards(wire::text_of(wish->stream()),
                                                    wish->shard_index(), wish->adjacent_index()));
            send_stream(*stream, {}, reply);
            co_return Status{};
        }
        default: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::ScaleStreamRequest>());
            CO_ASSIGN(const auto stream, co_await service.scale_stream(
                                             wire::text_of(wish->stream()), wish->shard_count()));
            send_stream(*stream, {}, reply);
            co_return Status{};
        }
    }
}

}  // namespace tidemill

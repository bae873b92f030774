#include "engine/native/native_requests.h"

namespace tidemill {
namespace {

using wire::Kind;
using Builder = flatbuffers::FlatBufferBuilder;

flatbuffers::Offset<wire::CheckpointEntry> entry_of(Builder& builder,
                                                    const Checkpoint& checkpoint) {
    const auto owner = builder.CreateString(checkpoint.owner);
    return wire::CreateCheckpointEntry(builder, checkpoint.shard_index, checkpoint.ordinal,
                                       checkpoint.is_finished, owner, checkpoint.lease_counter,
                                       to_millis(checkpoint.lease_until));
}

Task<Status> list(NativeConnection& connection, const wire::CheckpointsRequest& wish,
                  NativeReply& reply) {
    CO_ASSIGN(const auto checkpoints,
              co_await connection.service().checkpoints(wire::text_of(wish.application()),
                                                        StreamUid{wish.stream()}));
    Builder builder;
    std::vector<flatbuffers::Offset<wire::CheckpointEntry>> entries;
    for (const auto& checkpoint : checkpoints)
        entries.push_back(entry_of(builder, checkpoint));
    const auto vector = builder.CreateVector(entries);
    builder.Finish(wire::CreateCheckpointsReply(builder, vector, to_millis(connection.wall_now())));
    reply.send(wire::finished_bytes(builder));
    co_return Status{};
}

Task<Status> save(NativeConnection& connection, const wire::SaveCheckpointRequest& wish,
                  NativeReply& reply) {
    const auto* entry = wish.checkpoint();
    if (entry == nullptr)
        co_return fail(Errc::InvalidArgument, "SaveCheckpoint without a checkpoint");
    Checkpoint checkpoint;
    checkpoint.shard_index = entry->shard_index();
    checkpoint.ordinal = entry->ordinal();
    checkpoint.is_finished = entry->is_finished();
    checkpoint.owner = wire::text_of(entry->owner());
    checkpoint.lease_counter = entry->lease_counter();
    checkpoint.lease_until = from_millis(entry->lease_until_ms());
    CO_TRY(co_await connection.service().save_checkpoint(
        wire::text_of(wish.application()), StreamUid{wish.stream()}, std::move(checkpoint)));
    reply.send({});
    co_return Status{};
}

}  // namespace

Task<Status> answer_leases(NativeConnection& connection, const NativeRequest& request,
                           NativeReply& reply) {
    StreamService& service = connection.service();
    switch (static_cast<Kind>(request.kind)) {
        case Kind::Checkpoints: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::CheckpointsRequest>());
            co_return co_await list(connection, *wish, reply);
        }
        case Kind::SaveCheckpoint: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::SaveCheckpointRequest>());
            co_return co_await save(connection, *wish, reply);
        }
        case Kind::AcquireLease: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::LeaseRequest>());
            CO_ASSIGN(const Checkpoint checkpoint,
                      co_await service.acquire_lease(
                          wire::text_of(wish->application()), StreamUid{wish->stream()},
                          wish->shard_index(), wire::text_of(wish->owner()),
                          std::chrono::milliseconds{wish->duration_ms()}));
            Builder builder;
            builder.Finish(entry_of(builder, checkpoint));
            reply.send(wire::finished_bytes(builder));
            co_return Status{};
        }
        default: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::LeaseRequest>());
            CO_TRY(co_await service.release_lease(wire::text_of(wish->application()),
                                                  StreamUid{wish->stream()}, wish->shard_index(),
                                                  wire::text_of(wish->owner())));
            reply.send({});
            co_return Status{};
        }
    }
}

}  // namespace tidemill

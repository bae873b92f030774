#include "consumer/lease_client.h"

#include "producer/stream_layout.h"

namespace tidemill::client {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;

Lease lease_of(const wire::CheckpointEntry& entry) {
    return {entry.shard_index(),   entry.ordinal(),
            entry.is_finished(),   wire::text_of(entry.owner()),
            entry.lease_counter(), from_millis(entry.lease_until_ms())};
}

void write_lease_question(Builder& builder, const std::string& application, std::uint32_t stream,
                          std::uint32_t shard_index, const std::string& worker,
                          std::chrono::milliseconds duration) {
    const auto name = builder.CreateString(application);
    const auto owner = builder.CreateString(worker);
    builder.Finish(wire::CreateLeaseRequest(builder, name, stream, shard_index, owner,
                                            static_cast<std::uint32_t>(duration.count())));
}

}  // namespace

Result<StreamDescription> LeaseClient::describe(const std::string& stream) {
    Builder builder;
    write_stream_question(builder, stream, false);
    ASSIGN(const auto reply,
           connection_.call(wire::Kind::DescribeStream, wire::finished_bytes(builder)));
    ASSIGN(const auto* description, reply.message.read<wire::StreamReply>());
    return description_of(*description);
}

Result<std::uint64_t> LeaseClient::first_ordinal(std::uint32_t shard_uid, std::int64_t at_ms) {
    ASSIGN(const auto reply, connection_.ask<wire::SeekTimeReply>(
                                 wire::Kind::SeekTime, wire::SeekTimeRequest(at_ms, shard_uid, 0)));
    return reply.ordinal();
}

Result<std::uint64_t> LeaseClient::tail_ordinal(std::uint32_t shard_uid) {
    ASSIGN(const auto reply,
           connection_.ask<wire::TailReply>(wire::Kind::Tail, wire::TailRequest(shard_uid, 0)));
    return reply.end();
}

Result<LeaseClient::Leases> LeaseClient::leases(std::uint32_t stream) {
    Builder builder;
    const auto name = builder.CreateString(application_);
    builder.Finish(wire::CreateCheckpointsRequest(builder, name, stream));
    ASSIGN(const auto reply,
           connection_.call(wire::Kind::Checkpoints, wire::finished_bytes(builder)));
    ASSIGN(const auto* found, reply.message.read<wire::CheckpointsReply>());
    Leases leases;
    leases.server_time = from_millis(found->server_time_ms());
    if (found->checkpoints() != nullptr)
        for (const auto* entry : *found->checkpoints())
            leases.all.push_back(lease_of(*entry));
    return leases;
}

Result<Lease> LeaseClient::acquire(std::uint32_t stream, std::uint32_t shard_index,
                                   std::chrono::milliseconds duration) {
    Builder builder;
    write_lease_question(builder, application_, stream, shard_index, worker_, duration);
    ASSIGN(const auto reply,
           connection_.call(wire::Kind::AcquireLease, wire::finished_bytes(builder)));
    ASSIGN(const auto* entry, reply.message.read<wire::CheckpointEntry>());
    return lease_of(*entry);
}

Status LeaseClient::save(std::uint32_t stream, const Lease& lease) {
    Builder builder;
    const auto name = builder.CreateString(application_);
    const auto owner = builder.CreateString(lease.owner);
    const auto entry =
        wire::CreateCheckpointEntry(builder, lease.shard_index, lease.ordinal, lease.is_finished,
                                    owner, lease.counter, to_millis(lease.until));
    builder.Finish(wire::CreateSaveCheckpointRequest(builder, name, stream, entry));
    TRY(connection_.call(wire::Kind::SaveCheckpoint, wire::finished_bytes(builder)));
    return {};
}

Status LeaseClient::release(std::uint32_t stream, std::uint32_t shard_index) {
    Builder builder;
    write_lease_question(builder, application_, stream, shard_index, worker_, {});
    TRY(connection_.call(wire::Kind::ReleaseLease, wire::finished_bytes(builder)));
    return {};
}

}  // namespace tidemill::client

#include <fmt/format.h>

#include "engine/native/native_requests.h"
#include "engine/native/stream_reply.h"

namespace tidemill {
namespace {

using wire::Kind;
using Builder = flatbuffers::FlatBufferBuilder;

std::string_view name_of(StreamStatus status) {
    switch (status) {
        case StreamStatus::Creating:
            return "creating";
        case StreamStatus::Active:
            return "active";
        case StreamStatus::Updating:
            return "updating";
        case StreamStatus::Deleting:
            return "deleting";
    }
    return "active";
}

wire::HashKey hash_key_of(uint128 key) {
    return {static_cast<std::uint64_t>(key >> 64), static_cast<std::uint64_t>(key)};
}

wire::ShardEntry entry_of(const ShardInfo& shard, const TailInfo& tail) {
    const auto parent = [](std::optional<std::uint32_t> index) {
        return index ? static_cast<std::int32_t>(*index) : -1;
    };
    return {hash_key_of(shard.range.first),
            hash_key_of(shard.range.last),
            to_millis(shard.created),
            shard.closed ? to_millis(*shard.closed) : -1,
            shard.end_ordinal,
            tail.trim,
            tail.end,
            shard.uid.value,
            shard.index,
            parent(shard.parent),
            parent(shard.adjacent_parent)};
}

Task<Status> create(NativeConnection& connection, const wire::CreateStreamRequest& wish,
                    NativeReply& reply) {
    CreateStream request;
    request.name = wire::text_of(wish.name());
    request.shard_count = wish.shard_count();
    request.mode = wish.is_on_demand() ? StreamMode::OnDemand : StreamMode::Provisioned;
    request.retention = std::chrono::hours{wish.retention_hours()};
    request.max_bytes = wish.max_bytes();
    if (wish.tags() != nullptr)
        for (const auto* tag : *wish.tags())
            request.tags[wire::text_of(tag->key())] = wire::text_of(tag->value());
    if (wish.encryption() > static_cast<std::uint8_t>(EncryptionWish::Off))
        co_return fail(Errc::InvalidArgument, "encryption is 0, 1 or 2");
    request.encryption = static_cast<EncryptionWish>(wish.encryption());
    CO_ASSIGN(const auto stream, co_await connection.service().create_stream(std::move(request)));
    send_stream(*stream, {}, reply);
    co_return Status{};
}

Task<Status> describe(NativeConnection& connection, const wire::StreamNameRequest& wish,
                      NativeReply& reply) {
    CO_ASSIGN(const auto stream, connection.service().find_stream(wire::text_of(wish.name())));
    std::vector<TailInfo> tails;
    if (wish.with_tails()) {
        for (const auto& shard : stream->shards) {
            CO_ASSIGN(const TailInfo tail, co_await connection.service().tail(shard.uid));
            tails.push_back(tail);
        }
    }
    send_stream(*stream, tails, reply);
    co_return Status{};
}

void list(NativeConnection& connection, const wire::ListStreamsRequest& wish, NativeReply& reply) {
    constexpr std::uint32_t kPageMax = 10'000;
    const auto view = connection.service().catalog();
    const std::uint32_t limit = std::min(wish.limit() == 0 ? kPageMax : wish.limit(), kPageMax);
    Builder builder;
    std::vector<flatbuffers::Offset<wire::StreamSummary>> streams;
    auto at = view->streams.upper_bound(wire::text_of(wish.after()));
    for (; at != view->streams.end() && streams.size() < limit; ++at) {
        const auto& stream = *at->second;
        const auto name = builder.CreateString(stream.name);
        const auto status = builder.CreateString(std::string(name_of(stream.status)));
        streams.push_back(wire::CreateStreamSummary(builder, name, status,
                                                    static_cast<std::uint32_t>(stream.open.size()),
                                                    to_millis(stream.created)));
    }
    const auto vector = builder.CreateVector(streams);
    builder.Finish(wire::CreateListStreamsReply(builder, vector, at != view->streams.end()));
    reply.send(wire::finished_bytes(builder));
}

Task<Status> encrypt(NativeConnection& connection, const wire::EncryptStreamRequest& wish,
                     NativeReply& reply) {
    StreamService& service = connection.service();
    std::string name = wire::text_of(wish.name());
    Result<std::shared_ptr<const StreamInfo>> stream;
    switch (wish.action()) {
        case 0:
            stream =
                co_await service.start_encryption(std::move(name), wire::text_of(wish.key_name()));
            break;
        case 1:
            stream = co_await service.stop_encryption(std::move(name));
            break;
        case 2:
            stream = co_await service.rotate_data_key(std::move(name));
            break;
        default:
            co_return fail(Errc::InvalidArgument, "an encryption's action is 0, 1 or 2");
    }
    CO_TRY(stream);
    send_stream(**stream, {}, reply);
    co_return Status{};
}

}  // namespace

namespace {

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::Tag>>> write_tags(
    Builder& builder, const std::map<std::string, std::string>& tags) {
    std::vector<flatbuffers::Offset<wire::Tag>> written;
    for (const auto& [key, value] : tags)
        written.push_back(wire::CreateTagDirect(builder, key.c_str(), value.c_str()));
    return builder.CreateVector(written);
}

}  // namespace

void send_stream(const StreamInfo& stream, const std::vector<TailInfo>& tails, NativeReply& reply) {
    Builder builder;
    std::vector<wire::ShardEntry> shards;
    shards.reserve(stream.shards.size());
    for (std::size_t i = 0; i < stream.shards.size(); ++i)
        shards.push_back(entry_of(stream.shards[i], i < tails.size() ? tails[i] : TailInfo{}));
    std::vector<flatbuffers::Offset<wire::ConsumerEntry>> consumers;
    for (const auto& consumer : stream.consumers) {
        const auto consumer_tags = write_tags(builder, consumer.tags);
        const auto consumer_name = builder.CreateString(consumer.name);
        consumers.push_back(wire::CreateConsumerEntry(builder, consumer_name,
                                                      to_millis(consumer.created), consumer_tags));
    }
    const auto name = builder.CreateString(stream.name);
    const auto status = builder.CreateString(std::string(name_of(stream.status)));
    const auto tag_vector = write_tags(builder, stream.tags);
    const auto consumer_vector = builder.CreateVector(consumers);
    const auto shard_vector = builder.CreateVectorOfStructs(shards);
    const auto& encryption = stream.encryption;
    const StreamKey* key = encryption.find(encryption.current);
    const auto key_name = builder.CreateString(encryption.key_name);
    const auto master = builder.CreateString(key == nullptr ? std::string() : key->master);
    builder.Finish(wire::CreateStreamReply(
        builder, stream.uid.value, name, status, stream.mode == StreamMode::OnDemand,
        to_millis(stream.created), static_cast<std::uint32_t>(stream.retention.count()), tag_vector,
        shard_vector, encryption.current, static_cast<std::uint32_t>(encryption.keys.size()),
        key_name, master, key == nullptr ? 0 : to_millis(key->created), stream.max_bytes,
        consumer_vector));
    reply.send(wire::finished_bytes(builder));
}

Task<Status> answer_streams(NativeConnection& connection, const NativeRequest& request,
                            NativeReply& reply) {
    switch (static_cast<Kind>(request.kind)) {
        case Kind::CreateStream: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::CreateStreamRequest>());
            co_return co_await create(connection, *wish, reply);
        }
        case Kind::DeleteStream: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::StreamNameRequest>());
            CO_TRY(co_await connection.service().delete_stream(wire::text_of(wish->name()),
                                                               wish->with_consumers()));
            reply.send({});
            co_return Status{};
        }
        case Kind::DescribeStream: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::StreamNameRequest>());
            co_return co_await describe(connection, *wish, reply);
        }
        case Kind::EncryptStream: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::EncryptStreamRequest>());
            co_return co_await encrypt(connection, *wish, reply);
        }
        default: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::ListStreamsRequest>());
            list(connection, *wish, reply);
            co_return Status{};
        }
    }
}

}  // namespace tidemill

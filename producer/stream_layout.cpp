#include "producer/stream_layout.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::client {
namespace {

uint128 key_of(const wire::HashKey& key) { return uint128{key.high()} << 64 | key.low(); }

std::chrono::system_clock::time_point time_of(std::int64_t ms) {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

std::optional<std::uint32_t> parent_of(std::int32_t index) {
    if (index < 0) return std::nullopt;
    return static_cast<std::uint32_t>(index);
}

ShardDescription shard_of(const wire::ShardEntry& entry) {
    ShardDescription shard;
    shard.uid = entry.uid();
    shard.id = shard_id_of(entry.index());
    shard.index = entry.index();
    shard.first_hash_key = to_decimal(key_of(entry.first()));
    shard.last_hash_key = to_decimal(key_of(entry.last()));
    shard.parent = parent_of(entry.parent());
    shard.adjacent_parent = parent_of(entry.adjacent_parent());
    shard.created = time_of(entry.created_ms());
    if (entry.closed_ms() >= 0) shard.closed = time_of(entry.closed_ms());
    shard.trim = entry.trim();
    shard.end = entry.closed_ms() >= 0 ? entry.end_ordinal() : entry.tail_end();
    return shard;
}

std::map<std::string, std::string> tags_of(
    const flatbuffers::Vector<flatbuffers::Offset<wire::Tag>>* entries) {
    std::map<std::string, std::string> tags;
    if (entries != nullptr)
        for (const auto* tag : *entries)
            tags[wire::text_of(tag->key())] = wire::text_of(tag->value());
    return tags;
}

}  // namespace

std::string shard_id_of(std::uint32_t index) { return fmt::format("shardId-{:012}", index); }

StreamDescription description_of(const wire::StreamReply& reply) {
    StreamDescription stream;
    stream.uid = reply.uid();
    stream.name = wire::text_of(reply.name());
    stream.status = wire::text_of(reply.status());
    stream.is_on_demand = reply.is_on_demand();
    stream.created = time_of(reply.created_ms());
    stream.retention = std::chrono::hours(reply.retention_hours());
    stream.encryption = {reply.encryption_key() != 0,
                         reply.encryption_key(),
                         reply.encryption_keys(),
                         wire::text_of(reply.encryption_key_name()),
                         wire::text_of(reply.encryption_master()),
                         time_of(reply.encryption_since_ms())};
    stream.max_bytes = reply.max_bytes();
    stream.tags = tags_of(reply.tags());
    if (reply.consumers() != nullptr)
        for (const auto* consumer : *reply.consumers())
            stream.consumers.push_back({wire::text_of(consumer->name()),
                                        time_of(consumer->created_ms()),
                                        tags_of(consumer->tags())});
    if (reply.shards() != nullptr)
        for (const auto* entry : *reply.shards())
            stream.shards.push_back(shard_of(*entry));
    return stream;
}

void write_stream_question(flatbuffers::FlatBufferBuilder& builder, std::string_view name,
                           bool with_tails) {
    const auto text = builder.CreateString(name.data(), name.size());
    builder.Finish(wire::CreateStreamNameRequest(builder, text, with_tails));
}

ShardMap::ShardMap(const StreamDescription& stream) {
    for (const auto& shard : stream.shards) {
        if (!shard.is_open()) continue;
        open_.push_back(
            {parse_decimal_uint128(shard.first_hash_key).value_or(0),
             parse_decimal_uint128(shard.last_hash_key).value_or(0), ShardUid{shard.uid},
             shard.index,
             std::chrono::floor<std::chrono::seconds>(shard.created).time_since_epoch().count()});
    }
    std::ranges::sort(open_, {}, &Entry::first);
}

const ShardMap::Entry* ShardMap::shard_for(uint128 key) const {
    const auto after = std::ranges::upper_bound(open_, key, {}, &Entry::first);
    if (after == open_.begin()) return nullptr;
    const auto& entry = *std::prev(after);
    return key <= entry.last ? &entry : nullptr;
}

}  // namespace tidemill::client

#include "engine/native/native_requests.h"
#include "engine/native/stream_reply.h"

namespace tidemill {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;

Task<Status> shard_rates(StreamService& service, std::string name, NativeReply& reply) {
    CO_ASSIGN(const auto stream, service.find_stream(name));
    CO_ASSIGN(const auto rates, co_await service.shard_rates(name));
    std::vector<wire::ShardRateEntry> entries;
    for (std::size_t i = 0; i < std::min(rates.size(), stream->shards.size()); ++i)
        entries.emplace_back(rates[i].records_in, rates[i].bytes_in, rates[i].records_out,
                             rates[i].bytes_out, stream->shards[i].index, 0);
    Builder builder;
    const auto shards = builder.CreateVectorOfStructs(entries);
    builder.Finish(wire::CreateShardRatesReply(builder, shards));
    reply.send(wire::finished_bytes(builder));
    co_return Status{};
}

Task<Status> sampled_keys(StreamService& service, std::string name, NativeReply& reply) {
    CO_ASSIGN(const auto keys, co_await service.sampled_keys(std::move(name)));
    Builder builder;
    std::vector<flatbuffers::Offset<wire::SampledKeyEntry>> entries;
    for (const auto& key : keys) {
        const auto text = builder.CreateString(key.partition_key);
        entries.push_back(wire::CreateSampledKeyEntry(
            builder, text, static_cast<std::uint64_t>(key.hash_key >> 64),
            static_cast<std::uint64_t>(key.hash_key), key.weight));
    }
    builder.Finish(wire::CreateSampledKeysReply(builder, builder.CreateVector(entries)));
    reply.send(wire::finished_bytes(builder));
    co_return Status{};
}

Task<Status> limits(StreamService& service, std::string stream, NativeReply& reply) {
    CO_ASSIGN(const auto report, co_await service.limits_report(std::move(stream)));
    Builder builder;
    std::vector<flatbuffers::Offset<wire::UsageEntry>> usage;
    for (const auto& count : report.counts)
        usage.push_back(
            wire::CreateUsageEntryDirect(builder, count.what.c_str(), count.used, count.limit));
    const auto mode = builder.CreateString(std::string(limits_mode_text(report.mode)));
    const auto vector = builder.CreateVector(usage);
    builder.Finish(wire::CreateLimitsReply(builder, mode, vector));
    reply.send(wire::finished_bytes(builder));
    co_return Status{};
}

}  // namespace

Task<Status> answer_usage(NativeConnection& connection, const NativeRequest& request,
                          NativeReply& reply) {
    StreamService& service = connection.service();
    if (static_cast<wire::Kind>(request.kind) == wire::Kind::ShardRates) {
        CO_ASSIGN(const auto* wish, request.message.read<wire::StreamNameRequest>());
        co_return co_await shard_rates(service, wire::text_of(wish->name()), reply);
    }
    if (static_cast<wire::Kind>(request.kind) == wire::Kind::SampledKeys) {
        CO_ASSIGN(const auto* wish, request.message.read<wire::StreamNameRequest>());
        co_return co_await sampled_keys(service, wire::text_of(wish->name()), reply);
    }
    CO_ASSIGN(const auto* wish, request.message.read<wire::LimitsRequest>());
    co_return co_await limits(service, wire::text_of(wish->stream()), reply);
}

}  // namespace tidemill

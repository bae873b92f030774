#include "producer/admin_client.h"

#include <fmt/format.h>

#include "engine/base/uint128.h"
#include "producer/broker_connection.h"
#include "producer/stream_layout.h"

namespace tidemill::client {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;

std::chrono::system_clock::time_point time_of(std::int64_t ms) {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

Result<StreamDescription> ask_stream(BrokerConnection& connection, wire::Kind kind,
                                     const Builder& question) {
    ASSIGN(const BrokerReply reply, connection.call(kind, wire::finished_bytes(question)));
    ASSIGN(const auto* stream, reply.message.read<wire::StreamReply>());
    return description_of(*stream);
}

using TagVector = flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::Tag>>>;

TagVector write_tags(Builder& builder, const std::map<std::string, std::string>& tags) {
    std::vector<flatbuffers::Offset<wire::Tag>> written;
    for (const auto& [key, value] : tags)
        written.push_back(wire::CreateTagDirect(builder, key.c_str(), value.c_str()));
    return builder.CreateVector(written);
}

enum class EncryptionAction : std::uint8_t { On = 0, Off = 1, NewKey = 2 };

Result<StreamDescription> ask_encryption(BrokerConnection& connection, std::string_view name,
                                         EncryptionAction action, std::string_view key_name) {
    Builder builder;
    const auto name_text = builder.CreateString(name.data(), name.size());
    const auto key_text = builder.CreateString(key_name.data(), key_name.size());
    builder.Finish(wire::CreateEncryptStreamRequest(builder, name_text,
                                                    static_cast<std::uint8_t>(action), key_text));
    return ask_stream(connection, wire::Kind::EncryptStream, builder);
}

Result<std::vector<StreamSummary>> ask_streams(BrokerConnection& connection) {
    std::vector<StreamSummary> streams;
    for (bool has_more = true; has_more;) {
        Builder builder;
        const auto after =
            builder.CreateString(streams.empty() ? std::string() : streams.back().name);
        builder.Finish(wire::CreateListStreamsRequest(builder, after));
        ASSIGN(const BrokerReply reply,
               connection.call(wire::Kind::ListStreams, wire::finished_bytes(builder)));
        ASSIGN(const auto* page, reply.message.read<wire::ListStreamsReply>());
        has_more = page->has_more() && page->streams() != nullptr && page->streams()->size() > 0;
        if (page->streams() == nullptr) break;
        for (const auto* entry : *page->streams())
            streams.push_back({wire::text_of(entry->name()), wire::text_of(entry->status()),
                               entry->open_shards(), time_of(entry->created_ms())});
    }
    return streams;
}

Result<std::vector<ShardRate>> ask_rates(BrokerConnection& connection, const Builder& question) {
    ASSIGN(const BrokerReply reply,
           connection.call(wire::Kind::ShardRates, wire::finished_bytes(question)));
    ASSIGN(const auto* answer, reply.message.read<wire::ShardRatesReply>());
    std::vector<ShardRate> rates;
    if (answer->shards() != nullptr)
        for (const auto* entry : *answer->shards())
            rates.push_back(
                {entry->records_in(), entry->bytes_in(), entry->records_out(), entry->bytes_out()});
    return rates;
}

Result<std::vector<SampledKey>> ask_keys(BrokerConnection& connection, const Builder& question) {
    ASSIGN(const BrokerReply reply,
           connection.call(wire::Kind::SampledKeys, wire::finished_bytes(question)));
    ASSIGN(const auto* answer, reply.message.read<wire::SampledKeysReply>());
    std::vector<SampledKey> keys;
    if (answer->keys() != nullptr)
        for (const auto* entry : *answer->keys())
            keys.push_back({wire::text_of(entry->partition_key()),
                            static_cast<double>(entry->hash_high()) * 0x1p-64 +
                                static_cast<double>(entry->hash_low()) * 0x1p-128,
                            entry->weight()});
    return keys;
}

Result<LimitsReport> ask_limits(BrokerConnection& connection, std::string_view stream) {
    Builder builder;
    const auto name = builder.CreateString(stream.data(), stream.size());
    builder.Finish(wire::CreateLimitsRequest(builder, name));
    ASSIGN(const BrokerReply reply,
           connection.call(wire::Kind::Limits, wire::finished_bytes(builder)));
    ASSIGN(const auto* answer, reply.message.read<wire::LimitsReply>());
    LimitsReport report{wire::text_of(answer->mode()), {}};
    if (answer->usage() != nullptr)
        for (const auto* entry : *answer->usage())
            report.usage.push_back({wire::text_of(entry->what()), entry->used(), entry->limit()});
    return report;
}

}  // namespace

struct AdminClient::State {
    State(Endpoint endpoint, std::chrono::milliseconds timeout)
        : connection(std::move(endpoint), timeout) {}
    BrokerConnection connection;
};

AdminClient::AdminClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
AdminClient::AdminClient(AdminClient&&) noexcept = default;
AdminClient& AdminClient::operator=(AdminClient&&) noexcept = default;
AdminClient::~AdminClient() = default;

Outcome<AdminClient> AdminClient::connect(std::string_view endpoint,
                                          std::chrono::milliseconds timeout) {
    const auto parsed = Endpoint::parse(endpoint);
    if (!parsed) return failure_of(parsed.error());
    auto state = std::make_unique<State>(*parsed, timeout);
    if (const auto greeting = state->connection.greeting(); !greeting)
        return failure_of(greeting.error());
    return AdminClient(std::move(state));
}

Outcome<BrokerInfo> AdminClient::broker() {
    const auto greeting = state_->connection.greeting();
    if (!greeting) return failure_of(greeting.error());
    return BrokerInfo{greeting->server, greeting->durability};
}

Outcome<StreamDescription> AdminClient::create_stream(const NewStream& stream) {
    Builder builder;
    const auto name = builder.CreateString(stream.name);
    const auto tag_vector = write_tags(builder, stream.tags);
    builder.Finish(wire::CreateCreateStreamRequest(
        builder, name, stream.shard_count, stream.is_on_demand,
        static_cast<std::uint32_t>(stream.retention.count()), tag_vector,
        static_cast<std::uint8_t>(!stream.is_encrypted   ? 0
                                  : *stream.is_encrypted ? 1
                                                         : 2),
        stream.max_bytes));
    return outcome_of(ask_stream(state_->connection, wire::Kind::CreateStream, builder));
}

Completion AdminClient::delete_stream(std::string_view name, bool with_consumers) {
    Builder builder;
    const auto text = builder.CreateString(name.data(), name.size());
    builder.Finish(wire::CreateStreamNameRequest(builder, text, false, with_consumers));
    const auto reply =
        state_->connection.call(wire::Kind::DeleteStream, wire::finished_bytes(builder));
    if (!reply) return failure_of(reply.error());
    return Nothing{};
}

Outcome<StreamDescription> AdminClient::start_encryption(std::string_view name,
                                                         std::string_view key_name) {
    return outcome_of(ask_encryption(state_->connection, name, EncryptionAction::On, key_name));
}

Outcome<StreamDescription> AdminClient::stop_encryption(std::string_view name) {
    return outcome_of(ask_encryption(state_->connection, name, EncryptionAction::Off, {}));
}

Outcome<StreamDescription> AdminClient::rotate_data_key(std::string_view name) {
    return outcome_of(ask_encryption(state_->connection, name, EncryptionAction::NewKey, {}));
}

Outcome<StreamDescription> AdminClient::describe_stream(std::string_view name, bool with_tails) {
    Builder builder;
    write_stream_question(builder, name, with_tails);
    return outcome_of(ask_stream(state_->connection, wire::Kind::DescribeStream, builder));
}

Outcome<StreamDescription> AdminClient::set_retention(std::string_view name,
                                                      const RetentionWish& wish) {
    Builder builder;
    const auto text = builder.CreateString(name.data(), name.size());
    const auto hours = wish.retention.value_or(std::chrono::hours{0}).count();
    builder.Finish(wire::CreateSetRetentionRequest(builder, text, static_cast<std::uint32_t>(hours),
                                                   wish.max_bytes.has_value(),
                                                   wish.max_bytes.value_or(0)));
    return outcome_of(ask_stream(state_->connection, wire::Kind::SetRetention, builder));
}

Outcome<std::vector<StreamSummary>> AdminClient::list_streams() {
    return outcome_of(ask_streams(state_->connection));
}

Outcome<StreamDescription> AdminClient::split_shard(
    std::string_view stream, std::uint32_t shard_index,
    std::optional<std::string_view> first_hash_key_of_second) {
    wire::HashKey key(0, 0);
    if (first_hash_key_of_second) {
        const auto number = parse_decimal_uint128(*first_hash_key_of_second);
        if (!number)
            return failure_of(Error(Errc::InvalidArgument,
                                    fmt::format("'{}' is no hash key: a decimal number below 2^128",
                                                *first_hash_key_of_second)));
        key = {static_cast<std::uint64_t>(*number >> 64), static_cast<std::uint64_t>(*number)};
    }
    Builder builder;
    const auto name = builder.CreateString(stream.data(), stream.size());
    builder.Finish(wire::CreateSplitShardRequest(builder, name, shard_index,
                                                 first_hash_key_of_second.has_value(), &key));
    return outcome_of(ask_stream(state_->connection, wire::Kind::SplitShard, builder));
}

Outcome<StreamDescription> AdminClient::merge_shards(std::string_view stream,
                                                     std::uint32_t shard_index,
                                                     std::uint32_t adjacent_index) {
    Builder builder;
    const auto name = builder.CreateString(stream.data(), stream.size());
    builder.Finish(wire::CreateMergeShardsRequest(builder, name, shard_index, adjacent_index));
    return outcome_of(ask_stream(state_->connection, wire::Kind::MergeShards, builder));
}

Outcome<StreamDescription> AdminClient::scale_stream(std::string_view stream,
                                                     std::uint32_t shard_count) {
    Builder builder;
    const auto name = builder.CreateString(stream.data(), stream.size());
    builder.Finish(wire::CreateScaleStreamRequest(builder, name, shard_count));
    return outcome_of(ask_stream(state_->connection, wire::Kind::ScaleStream, builder));
}

Outcome<std::vector<ShardRate>> AdminClient::shard_rates(std::string_view stream) {
    Builder builder;
    write_stream_question(builder, stream, false);
    return outcome_of(ask_rates(state_->connection, builder));
}

Outcome<std::vector<SampledKey>> AdminClient::sampled_keys(std::string_view stream) {
    Builder builder;
    write_stream_question(builder, stream, false);
    return outcome_of(ask_keys(state_->connection, builder));
}

Outcome<LimitsReport> AdminClient::limits(std::string_view stream) {
    return outcome_of(ask_limits(state_->connection, stream));
}

Outcome<StreamDescription> AdminClient::edit_tags(std::string_view name,
                                                  const std::map<std::string, std::string>& set,
                                                  const std::vector<std::string>& remove) {
    Builder builder;
    const auto text = builder.CreateString(name.data(), name.size());
    const auto set_vector = write_tags(builder, set);
    const auto remove_vector = builder.CreateVectorOfStrings(remove);
    builder.Finish(wire::CreateEditTagsRequest(builder, text, set_vector, remove_vector));
    return outcome_of(ask_stream(state_->connection, wire::Kind::EditTags, builder));
}

Outcome<StreamDescription> AdminClient::register_consumer(
    std::string_view stream, std::string_view consumer,
    const std::map<std::string, std::string>& tags) {
    Builder builder;
    const auto stream_text = builder.CreateString(stream.data(), stream.size());
    const auto consumer_text = builder.CreateString(consumer.data(), consumer.size());
    const auto tag_vector = write_tags(builder, tags);
    builder.Finish(
        wire::CreateRegisterConsumerRequest(builder, stream_text, consumer_text, tag_vector));
    return outcome_of(ask_stream(state_->connection, wire::Kind::RegisterConsumer, builder));
}

Outcome<StreamDescription> AdminClient::deregister_consumer(std::string_view stream,
                                                            std::string_view consumer) {
    Builder builder;
    const auto stream_text = builder.CreateString(stream.data(), stream.size());
    const auto consumer_text = builder.CreateString(consumer.data(), consumer.size());
    builder.Finish(wire::CreateDeregisterConsumerRequest(builder, stream_text, consumer_text));
    return outcome_of(ask_stream(state_->connection, wire::Kind::DeregisterConsumer, builder));
}

Outcome<StreamDescription> AdminClient::set_mode(std::string_view stream, bool is_on_demand) {
    Builder builder;
    const auto text = builder.CreateString(stream.data(), stream.size());
    builder.Finish(wire::CreateSetModeRequest(builder, text, is_on_demand));
    return outcome_of(ask_stream(state_->connection, wire::Kind::SetMode, builder));
}

Outcome<ShardTail> AdminClient::tail(std::uint32_t shard_uid) {
    const auto reply =
        state_->connection.ask<wire::TailReply>(wire::Kind::Tail, wire::TailRequest(shard_uid, 0));
    if (!reply) return failure_of(reply.error());
    return ShardTail{reply->trim(), reply->end(), reply->is_sealed() != 0,
                     time_of(reply->last_arrival_ms())};
}

Outcome<ProducerProgress> AdminClient::producer_progress(std::uint32_t shard_uid,
                                                         std::uint64_t producer_id) {
    const auto reply = state_->connection.ask<wire::ProducerPositionReply>(
        wire::Kind::ProducerPosition, wire::ProducerPositionRequest(producer_id, shard_uid, 0));
    if (!reply) return failure_of(reply.error());
    return ProducerProgress{reply->is_known() != 0, reply->next_sequence(), reply->end()};
}

Outcome<std::uint64_t> AdminClient::seek_time(std::uint32_t shard_uid,
                                              std::chrono::system_clock::time_point time) {
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
    const auto reply = state_->connection.ask<wire::SeekTimeReply>(
        wire::Kind::SeekTime, wire::SeekTimeRequest(ms, shard_uid, 0));
    if (!reply) return failure_of(reply.error());
    return reply->ordinal();
}

}  // namespace tidemill::client

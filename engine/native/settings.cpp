#include "engine/native/native_requests.h"
#include "engine/native/stream_reply.h"

namespace tidemill {
namespace {

using wire::Kind;
using Tags = std::map<std::string, std::string>;

Tags tags_of(const flatbuffers::Vector<flatbuffers::Offset<wire::Tag>>* entries) {
    Tags tags;
    if (entries != nullptr)
        for (const auto* tag : *entries)
            tags[wire::text_of(tag->key())] = wire::text_of(tag->value());
    return tags;
}

Task<Status> edit_tags(StreamService& service, const wire::EditTagsRequest& wish) {
    std::vector<std::string> remove;
    if (wish.remove() != nullptr)
        for (const auto* key : *wish.remove())
            remove.push_back(wire::text_of(key));
    co_return co_await service.edit_tags(wire::text_of(wish.name()), tags_of(wish.set()),
                                         std::move(remove));
}

/// Makes the change; returns the name of the stream.
Task<Result<std::string>> change(StreamService& service, const NativeRequest& request) {
    switch (static_cast<Kind>(request.kind)) {
        case Kind::RegisterConsumer: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::RegisterConsumerRequest>());
            CO_TRY(co_await service.register_consumer(wire::text_of(wish->stream()),
                                                      wire::text_of(wish->consumer()),
                                                      tags_of(wish->tags())));
            co_return wire::text_of(wish->stream());
        }
        case Kind::DeregisterConsumer: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::DeregisterConsumerRequest>());
            ConsumerRef consumer{
                wire::text_of(wish->stream()), wire::text_of(wish->consumer()), {}};
            CO_TRY(co_await service.deregister_consumer(std::move(consumer)));
            co_return wire::text_of(wish->stream());
        }
        case Kind::SetMode: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::SetModeRequest>());
            SettingsChange change;
            change.mode = wish->is_on_demand() ? StreamMode::OnDemand : StreamMode::Provisioned;
            CO_TRY(co_await service.change_settings(wire::text_of(wish->stream()), change));
            co_return wire::text_of(wish->stream());
        }
        default: {
            CO_ASSIGN(const auto* wish, request.message.read<wire::EditTagsRequest>());
            CO_TRY(co_await edit_tags(service, *wish));
            co_return wire::text_of(wish->name());
        }
    }
}

}  // namespace

Task<Status> answer_settings(NativeConnection& connection, const NativeRequest& request,
                             NativeReply& reply) {
    StreamService& service = connection.service();
    CO_ASSIGN(const std::string name, co_await change(service, request));
    CO_ASSIGN(const auto stream, service.find_stream(name));
    send_stream(*stream, {}, reply);
    co_return Status{};
}

}  // namespace tidemill

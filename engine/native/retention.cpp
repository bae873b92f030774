#include "engine/native/native_requests.h"
#include "engine/native/stream_reply.h"

namespace tidemill {

Task<Status> answer_retention(NativeConnection& connection, const NativeRequest& request,
                              NativeReply& reply) {
    CO_ASSIGN(const auto* wish, request.message.read<wire::SetRetentionRequest>());
    const auto name = wire::text_of(wish->name());
    RetentionChange change;
    if (wish->retention_hours() != 0)
        change.retention = std::chrono::hours{wish->retention_hours()};
    if (wish->sets_max_bytes()) change.max_bytes = wish->max_bytes();
    CO_TRY(co_await connection.service().set_retention(name, change));
    CO_ASSIGN(const auto stream, connection.service().find_stream(name));
    send_stream(*stream, {}, reply);
    co_return Status{};
}

}  // namespace tidemill

#pragma once

#include <cstdint>

#include "engine/query/query_reply.h"
#include "engine/query/query_service.h"
#include "proto/native_table.h"

namespace tidemill::query {

/// SQL over the native protocol: kinds kFirstKind to kLastKind of proto/sql.fbs. The door of
/// engine/native knows nothing of SQL and this nothing of that door; the server joins them:
///
///     door.set_extension(SqlDoor::kFirstKind, SqlDoor::kLastKind,
///                        [&](NativeRequest request, NativeReply& reply) {
///                            return serve_sql(sql_door, std::move(request), reply);
///                        });
class SqlDoor {
 public:
    static constexpr std::uint8_t kFirstKind = 64, kLastKind = 95;

    explicit SqlDoor(QueryService& service) : service_(service) {}

    /// Serves one request on the current core. Ownership: `reply` outlives the task.
    Task<void> serve(std::uint8_t kind, wire::TableBytes message, QueryReply& reply);

 private:
    Task<Status> create(const wire::TableBytes& message, QueryReply& reply);
    Task<Status> replace(const wire::TableBytes& message, QueryReply& reply);
    Task<Status> change(std::uint8_t kind, const wire::TableBytes& message, QueryReply& reply);
    Task<Status> describe(const wire::TableBytes& message, QueryReply& reply);
    Task<Status> query(const wire::TableBytes& message, QueryReply& reply);
    Task<Status> sample(const wire::TableBytes& message, QueryReply& reply);
    Task<Status> answer_with(std::string name, QueryReply& reply);

    QueryService& service_;
};

/// A reply of another folder's type as a QueryReply.
template <class Reply>
class ReplyOf final : public QueryReply {
 public:
    explicit ReplyOf(Reply& reply) : reply_(reply) {}
    bool is_wanted() const override { return reply_.is_wanted(); }
    void send(Bytes table, bool is_last) override { reply_.send(table, is_last); }
    void send_error(const Error& error) override { reply_.send_error(error); }
    Task<void> wait_for_room() override { return reply_.wait_for_room(); }

 private:
    Reply& reply_;
};

/// Joins the door's request and reply types to `door`.
template <class Request, class Reply>
Task<void> serve_sql(SqlDoor& door, Request request, Reply& reply) {
    ReplyOf<Reply> adapted(reply);
    co_await door.serve(request.kind, std::move(request.message), adapted);
}

}  // namespace tidemill::query

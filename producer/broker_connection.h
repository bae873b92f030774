#pragma once

#include <unordered_map>

#include "producer/frame_channel.h"
#include "proto/native_table.h"

namespace tidemill::client {

/// One answer, copied out of the socket's buffer.
struct BrokerReply {
    wire::TableBytes message;
    std::vector<std::byte> attachment;
    bool is_last = true;
};

/// Asks the broker and waits for the answer; connects when needed, and again after a failure. For
/// one thread at a time. Errors: the broker's, or Unavailable and Timeout with the endpoint's name.
/// After Timeout and Unavailable the connection is dropped and the outcome of what was asked is
/// unknown.
class BrokerConnection {
 public:
    explicit BrokerConnection(Endpoint endpoint, std::chrono::milliseconds timeout = 10s)
        : endpoint_(std::move(endpoint)), timeout_(timeout) {}

    Result<BrokerReply> call(wire::Kind kind, Bytes envelope);
    /// A question with many answers (SQL): `start`, then `next` until `is_last`; `give_up` ends it
    /// early.
    Result<std::uint32_t> start(wire::Kind kind, Bytes envelope);
    Result<BrokerReply> next(std::uint32_t id, std::chrono::milliseconds timeout);
    Status give_up(std::uint32_t id);

    /// Connects if that has not been done.
    Result<Greeting> greeting();
    const Endpoint& endpoint() const { return endpoint_; }

    /// `call` with a struct message and a struct answer.
    template <class Answer, class Question>
    Result<Answer> ask(wire::Kind kind, const Question& question) {
        ASSIGN(const BrokerReply reply, call(kind, wire::struct_bytes(question)));
        return wire::read_struct<Answer>(reply.message.bytes());
    }

 private:
    Status ensure_open();

    Endpoint endpoint_;
    std::chrono::milliseconds timeout_;
    FrameChannel channel_;
};

}  // namespace tidemill::client

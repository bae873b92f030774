#include "producer/broker_connection.h"

#include <fmt/format.h>

namespace tidemill::client {

Status BrokerConnection::ensure_open() {
    if (channel_.is_open()) return {};
    return channel_.open(endpoint_, std::chrono::steady_clock::now() + timeout_);
}

Result<Greeting> BrokerConnection::greeting() {
    TRY(ensure_open());
    return channel_.greeting();
}

Result<std::uint32_t> BrokerConnection::start(wire::Kind kind, Bytes envelope) {
    TRY(ensure_open());
    const std::uint32_t id = channel_.next_request_id();
    channel_.send(kind, id, envelope);
    TRY(channel_.flush());
    return id;
}

Result<BrokerReply> BrokerConnection::next(std::uint32_t id, std::chrono::milliseconds timeout) {
    const MonoTime deadline = std::chrono::steady_clock::now() + timeout;
    while (channel_.is_open()) {
        TRY(channel_.flush());
        ASSIGN(const auto frame, channel_.next());
        if (frame) {
            if (frame->header.request_id != id) continue;  // of a question given up
            if (frame->is_error()) return std::unexpected(error_of(*frame, endpoint_));
            return BrokerReply{wire::TableBytes(frame->envelope),
                               {frame->attachment.begin(), frame->attachment.end()},
                               frame->is_end()};
        }
        ASSIGN(const bool has_read, channel_.fill());
        if (!has_read && !channel_.wait(deadline))
            return fail(Errc::Timeout, fmt::format("{}: no answer within {} ms",
                                                   endpoint_.to_string(), timeout.count()));
    }
    return fail(Errc::Unavailable, fmt::format("{}: not connected", endpoint_.to_string()));
}

Result<BrokerReply> BrokerConnection::call(wire::Kind kind, Bytes envelope) {
    ASSIGN(const std::uint32_t id, start(kind, envelope));
    auto reply = next(id, timeout_);
    if (!reply && reply.error().code == Errc::Timeout) channel_.close();
    return reply;
}

Status BrokerConnection::give_up(std::uint32_t id) {
    if (!channel_.is_open()) return {};
    channel_.send(wire::Kind::Unsubscribe, id, {});
    return channel_.flush();
}

}  // namespace tidemill::client

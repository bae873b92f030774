#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "producer/endpoint.h"
#include "proto/native_frame.h"
#include "proto/native_generated.h"
#include "proto/record_batch.h"

namespace tidemill::client {

/// What the broker said of itself in Hello.
struct Greeting {
    std::string server;
    std::string durability;
    std::uint32_t requests_in_flight_max = 0;
    std::uint32_t codecs = 0;  ///< bit N: takes batches of codec N; plain ones always

    bool takes(Codec codec) const {
        return codec == Codec::None || (codecs >> static_cast<unsigned>(codec) & 1) != 0;
    }
};

/// A non-blocking socket that carries frames of the native protocol. Its owner polls `fd` and calls
/// in; no thread here. Plain POSIX sockets, so that the installed libraries need neither Boost nor
/// coroutines. Errors: every message names the endpoint. After an error from `flush`, `fill` or
/// `next` the channel is closed.
class FrameChannel {
 public:
    FrameChannel() = default;
    FrameChannel(const FrameChannel&) = delete;
    FrameChannel& operator=(const FrameChannel&) = delete;
    ~FrameChannel() { close(); }

    /// Resolves, connects, says Hello; blocks until `deadline` at most. Errors: Unavailable,
    /// Timeout, and the broker's.
    Status open(const Endpoint& endpoint, MonoTime deadline);
    void close();
    bool is_open() const { return fd_ >= 0; }
    int fd() const { return fd_; }
    const Endpoint& endpoint() const { return endpoint_; }
    const Greeting& greeting() const { return greeting_; }
    std::uint32_t next_request_id() { return ++last_request_id_; }

    /// Queues one request; `flush` sends. The bytes are copied.
    void send(wire::Kind kind, std::uint32_t id, Bytes envelope) {
        queue(kind, id, envelope, {}, false);
    }
    void send(wire::Kind kind, std::uint32_t id, Bytes envelope, Bytes attachment) {
        queue(kind, id, envelope, attachment, true);
    }
    std::size_t unsent_bytes() const { return output_.size() - output_sent_; }
    bool wants_write() const { return unsent_bytes() > 0; }
    /// Sends what the socket takes now.
    Status flush();

    /// Reads once what is there; false when nothing was.
    Result<bool> fill();
    /// The next whole frame; nothing until more is read. Ownership: valid until `fill`.
    Result<std::optional<wire::FrameView>> next();
    /// Waits until the socket can be read (or written, when that is wanted); false at the deadline.
    bool wait(MonoTime deadline) const;

 private:
    void queue(wire::Kind kind, std::uint32_t id, Bytes envelope, Bytes attachment,
               bool has_attachment);
    Status connect_any(MonoTime deadline);
    Status say_hello(MonoTime deadline);
    std::unexpected<Error> broken(Errc code, std::string_view what, int reason = 0);

    int fd_ = -1;
    Endpoint endpoint_;
    Greeting greeting_;
    std::uint32_t last_request_id_ = 0;
    std::vector<std::byte> output_;
    std::size_t output_sent_ = 0;
    std::unique_ptr<std::byte[]> input_;
    std::size_t input_capacity_ = 0, input_begin_ = 0, input_end_ = 0, input_needed_ = 0;
};

/// The error that a reply with kError carries.
Error error_of(const wire::FrameView& frame, const Endpoint& endpoint);

}  // namespace tidemill::client

#pragma once

#include <memory>
#include <vector>

#include "engine/io/task.h"
#include "engine/native/native_await.h"
#include "engine/native/native_limits.h"
#include "engine/native/native_reply.h"
#include "engine/reactor/reactor.h"
#include "engine/service/stream_service.h"

namespace tidemill {

/// The native protocol's door: one a process, usable on every core. Format:
/// docs/formats/native_protocol.md. Core: made and destroyed on a thread that is no reactor;
/// `serve` runs on the core that owns the socket.
class NativeDoor {
 public:
    NativeDoor(StreamService& service, ReactorGroup& reactors, NativeLimits limits = {},
               NativeGreeting greeting = {});
    ~NativeDoor();  ///< after `stop`

    /// Kinds [first, last] go to `handler`. Before the first `serve`.
    void set_extension(std::uint8_t first_kind, std::uint8_t last_kind, NativeExtension handler);

    /// Speaks the protocol on `socket` until the peer leaves, breaks the protocol, or the door
    /// stops. The socket belongs to this core's context; `already_read` begins with the preface.
    /// Errors: none; a connection above the limit is told so and closed.
    Task<void> serve(NativeSocket socket, std::vector<std::byte> already_read);

    /// Takes no more requests on any core, answers those in flight, closes. Resumes when all
    /// connections are gone. Core: any reactor. Idempotent.
    Task<void> stop();

    std::size_t connection_count() const;  ///< of this core

 private:
    struct PerCore;
    PerCore& here() const;

    StreamService& service_;
    ReactorGroup& reactors_;
    NativeLimits limits_;
    NativeGreeting greeting_;
    std::vector<NativeExtension> extensions_;  // by kind, empty where there is none
    std::vector<std::unique_ptr<PerCore>> cores_;
};

}  // namespace tidemill

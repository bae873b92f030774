#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/http/http_cors.h"
#include "engine/http/http_limits.h"
#include "engine/http/http_router.h"
#include "engine/http/http_transport.h"
#include "engine/reactor/reactor.h"
#include "engine/security/tls_context.h"

namespace tidemill {

/// Serves a connection that began with another protocol's preface. `first_bytes` holds all that has
/// been read, preface included. Runs on the connection's core, inside the server's gate.
using RawHandler = std::function<Task<void>(TcpSocket socket, std::vector<std::byte> first_bytes)>;

struct HttpStats {
    std::uint64_t connections_open = 0, connections_total = 0, connections_refused = 0;
    std::uint64_t requests = 0, bad_requests = 0, timeouts = 0;
    std::uint64_t body_bytes_in = 0, body_bytes_out = 0;
    std::uint64_t http1_connections = 0, http2_connections = 0, http2_streams = 0;
    std::uint64_t http2_ended_for_abuse = 0;  ///< connections
    std::uint64_t tls_handshakes = 0, tls_failures = 0;
    void add(const HttpStats& other);
};

/// One port for everything: HTTP/1.1 and HTTP/2 through the router, other protocols by their first
/// bytes. The first reactor accepts and deals connections out to all in turn. Order of stopping:
/// stop_listening, the doors, stop.
class HttpServer {
 public:
    /// Ownership: reactors outlive the server; the server must be stopped before it dies.
    HttpServer(std::vector<Reactor*> reactors, HttpLimits limits);
    ~HttpServer();

    /// Before `listen` only.
    HttpRouter& router();
    /// Connections whose first bytes are `preface` go to `handler`. Before `listen` only.
    void set_raw_handler(std::string preface, RawHandler handler);

    /// Before `listen` only.
    void set_cors(HttpCors cors);
    /// Connections that begin with a TLS handshake are served with it from now on; those that stand
    /// keep theirs. With `is_required`, requests without TLS are refused. Any thread; after
    /// `listen` the cores follow one after the other.
    void set_tls(const TlsContext& context, bool is_required);

    /// Binds and begins to accept; port 0 takes a free one. Returns the port. Not from a reactor's
    /// thread. Errors: InvalidArgument (no such address), IoFailed (taken, not allowed).
    Result<std::uint16_t> listen(const std::string& host, std::uint16_t port);

    /// No new connections from now on; those that are idle end, the others after their request.
    Task<void> stop_listening();
    /// Resumes when the last connection has ended; what is not done by `stop_time` is cut. Includes
    /// stop_listening.
    Task<void> stop();

    /// Summed over the cores, each asked on its own.
    Task<HttpStats> stats();
    /// Of the core this is called on.
    HttpStats core_stats() const;

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tidemill

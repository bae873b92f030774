#pragma once

#include "engine/http/http2_session.h"
#include "engine/http/http_connection.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// A connection that speaks HTTP/2: one task reads, one writes, and each request has its own.
/// Ownership: lives in the frame of its connection's task.
class Http2Connection {
 public:
    explicit Http2Connection(HttpConnection& connection);

    /// Resumes when the connection has ended, and all of its requests with it.
    Task<void> serve();

    /// Requests that the client knows to be accepted are answered, then it ends.
    void stop();
    void sweep(MonoTime now);

 private:
    class StreamWriter;

    bool may_start() const;
    void start_requests();
    Task<void> run(Http2Stream& stream);
    Task<void> write_loop();
    void answer(Http2Stream& stream, HttpResponse& response);
    MonoTime now() const;

    HttpConnection& connection_;
    HttpCore& core_;
    Http2Session session_;
    Gate tasks_;
    Signal output_;                 // there may be something to write, or to start
    std::uint32_t running_ = 0;     // requests that have begun
    std::uint32_t unanswered_ = 0;  // those without a head yet
    std::size_t expected_ = kHttp2AnswerAtFirst;
    bool is_read_out_ = false;
};

}  // namespace tidemill

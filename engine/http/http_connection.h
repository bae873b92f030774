#pragma once

#include <list>
#include <string>

#include <boost/beast/core/flat_buffer.hpp>

#include "engine/base/time.h"
#include "engine/http/http_transport.h"
#include "engine/io/task.h"

namespace tidemill {

struct HttpCore;
class Http2Connection;

/// One client's connection: finds out what it speaks, and has that served. Holds what all protocols
/// need: the transport, a deadline, a place among the connections of its core.
class HttpConnection {
 public:
    HttpConnection(HttpCore& core, TcpSocket socket);
    ~HttpConnection();
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    Task<void> serve();

    /// The server stops: ends what waits for a request, and the rest after its requests.
    void stop();
    /// Ends what is past its deadline.
    void sweep(MonoTime now);
    /// Ends it now: whatever it waits for fails.
    void cut() { transport_.close(); }

    // For the protocols.
    HttpCore& core() { return core_; }
    HttpTransport& transport() { return transport_; }
    boost::beast::flat_buffer& buffer() { return buffer_; }  ///< read, and not yet used
    const std::string& peer() const { return peer_; }
    MonoTime deadline() const { return deadline_; }
    void allow(std::chrono::milliseconds time);
    void allow_until(MonoTime deadline) { deadline_ = deadline; }
    void allow_forever() { deadline_ = MonoTime::max(); }
    void set_idle(bool idle) { idle_ = idle; }  ///< between requests
    /// Reads more into the buffer; false when there is none.
    Task<bool> fill(std::size_t at_most);
    /// Reads and forgets for a moment, so that an answer is not lost: closing with unread input
    /// resets the connection.
    Task<void> linger();

 private:
    enum class Protocol { None, Http1, Http2, Raw };

    Task<bool> secure();
    Task<Protocol> recognise();
    Task<void> hand_over();

    HttpCore& core_;
    HttpTransport transport_;
    boost::beast::flat_buffer buffer_;
    std::string peer_;
    MonoTime deadline_ = MonoTime::max();
    bool idle_ = false;
    std::size_t raw_ = 0;               // index of the raw handler
    Http2Connection* http2_ = nullptr;  // while it speaks HTTP/2
    std::list<HttpConnection*>::iterator registered_;
};

}  // namespace tidemill

#pragma once

#include <list>
#include <memory>
#include <string>

#include <boost/beast/core/flat_buffer.hpp>

#include "engine/http/http_server.h"

namespace tidemill {

struct HttpCore;

/// One client's connection: reads a request, has it handled, answers, reads the next. Requests that
/// arrive together are served one after the other, in order.
class HttpConnection {
 public:
    HttpConnection(HttpCore& core, TcpSocket socket);
    ~HttpConnection();
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    Task<void> serve();

    bool is_idle() const { return idle_; }  ///< between requests
    MonoTime deadline() const { return deadline_; }
    /// Ends it now: whatever it waits for fails.
    void cut();

 private:
    class ChunkWriter;
    struct Exchange;  // one request with its parser, body and answer

    Task<bool> fill(std::size_t at_most);
    Task<bool> hand_over();
    Task<bool> serve_one();
    Task<bool> read_head(Exchange& exchange);
    Task<bool> read_body(Exchange& exchange);
    Task<bool> read_chunked_body(Exchange& exchange);
    Task<HttpResponse> respond(Exchange& exchange);
    Task<bool> send(HttpResponse response, bool keep_alive, bool is_head, bool is_http_1_0);
    /// Answers a request that cannot be read any further, then closes without losing the answer.
    Task<void> refuse(unsigned status, std::string text);
    Task<bool> write(std::string_view head, std::string_view body);
    void allow(std::chrono::milliseconds time);
    bool reserve_body(std::size_t bytes);

    HttpCore& core_;
    TcpSocket socket_;
    boost::beast::flat_buffer buffer_;
    std::string peer_;
    MonoTime deadline_ = MonoTime::max();
    bool idle_ = false;
    std::size_t body_reserved_ = 0;
    std::list<HttpConnection*>::iterator registered_;
};

}  // namespace tidemill

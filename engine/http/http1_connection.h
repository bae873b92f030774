#pragma once

#include <memory>
#include <string>

#include "engine/http/http_connection.h"
#include "engine/http/http_message.h"

namespace tidemill {

/// A connection that speaks HTTP/1.1 or 1.0: reads a request, has it handled, answers, reads the
/// next. Requests that arrive together are served one after the other, in order. Ownership: lives
/// in the frame of its connection's task.
class Http1Connection {
 public:
    explicit Http1Connection(HttpConnection& connection);

    /// Resumes when the last request has been answered.
    Task<void> serve();

 private:
    class ChunkWriter;
    struct Exchange;  // one request with its parser, body and answer

    Task<bool> serve_one();
    Task<bool> read_head(Exchange& exchange);
    Task<bool> read_body(Exchange& exchange);
    Task<bool> read_chunked_body(Exchange& exchange);
    Task<bool> send(HttpResponse response, bool keep_alive, bool is_head, bool is_http_1_0);
    /// Answers a request that cannot be read any further, then closes without losing the answer.
    Task<void> refuse(unsigned status, std::string text);
    Task<bool> write(std::string_view head, std::string_view body = {});
    Task<bool> write(HttpTransport::Buffers buffers);

    HttpConnection& connection_;
    HttpCore& core_;
    HttpTransport& transport_;
    boost::beast::flat_buffer& buffer_;
};

}  // namespace tidemill

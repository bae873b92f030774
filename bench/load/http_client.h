#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace tidemill::bench {

/// One HTTP/1.1 connection that is kept alive, with one request under way at a time. Not for
/// general use: it reads what Kinesis and its neighbours answer.
class HttpClient {
 public:
    HttpClient() = default;
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    ~HttpClient();

    /// "127.0.0.1:4567". Errors: InvalidArgument, Unavailable.
    Status open(const std::string& text);
    int fd() const { return fd_; }

    /// Begins to send. Ownership: `request` (head and body) stays until its answer has come.
    Status send(std::string_view request);
    /// Sends what the socket takes.
    Status flush();
    bool wants_write() const { return !unsent_.empty(); }

    struct Answer {
        int status = 0;
        std::string_view body;  ///< valid until the next send
    };
    /// Reads what has come. True when the answer is whole. Errors: Unavailable (the server has
    /// closed), Corrupt.
    Result<bool> fill();
    const Answer& answer() const { return answer_; }
    /// The answer to `request`, waiting for it.
    Result<Answer> ask(std::string_view request);

 private:
    Result<bool> parse();
    Result<bool> parse_chunks();

    int fd_ = -1;
    std::string_view unsent_;
    std::string buffer_, chunks_;
    std::size_t used_ = 0;     // of buffer_
    std::size_t body_at_ = 0;  // behind the head; 0: not found yet
    std::size_t body_bytes_ = 0;
    std::size_t chunk_at_ = 0;  // of the next chunk's size
    bool is_chunked_ = false;
    Answer answer_;
};

}  // namespace tidemill::bench

#include "engine/http/http2_connection.h"

#include <fmt/format.h>

#include "engine/http/http_respond.h"

namespace tidemill {
namespace {

constexpr auto kLinger = std::chrono::seconds(2);

std::string refusal_text(unsigned status) {
    switch (status) {
        case 403:
            return "This port wants TLS: use https.\n";
        case 408:
            return "The request's body did not come in time.\n";
        case 413:
            return "The request's body is too large.\n";
        case 431:
            return "The request's headers are too large.\n";
        default:
            return "The server has too many requests in progress.\n";
    }
}

}  // namespace

/// Sends pieces as DATA frames: resumes when a piece has gone into the output, which has a bound
/// and waits for the socket and for the client's windows.
class Http2Connection::StreamWriter final : public HttpBodyWriter {
 public:
    StreamWriter(Http2Connection& connection, Http2Stream& stream)
        : connection_(connection), stream_(stream) {}

    Task<Status> write(Bytes piece) override {
        if (!piece.empty() && !stream_.is_closed) {
            connection_.session_.offer(stream_, piece, connection_.now());
            connection_.output_.notify_all();
            while (!stream_.is_closed && !stream_.unsent.empty())
                co_await stream_.moved.wait_until(MonoTime::max());
            connection_.core_.stats.body_bytes_out += piece.size();
        }
        if (stream_.is_closed) co_return fail(Errc::Cancelled, "the client has gone");
        co_return Status{};
    }
    bool is_stopping() const override { return connection_.core_.stopping || stream_.is_closed; }

 private:
    Http2Connection& connection_;
    Http2Stream& stream_;
};

Http2Connection::Http2Connection(HttpConnection& connection)
    : connection_(connection),
      core_(connection.core()),
      session_(core_.limits, core_.bodies_bytes, core_.stats, connection.peer(), now()) {}

MonoTime Http2Connection::now() const { return core_.reactor.clock().mono_now(); }

void Http2Connection::stop() {
    session_.go_away();
    output_.notify_all();
}

void Http2Connection::sweep(MonoTime at) {
    if (session_.sweep(at)) output_.notify_all();
}

Task<void> Http2Connection::serve() {
    auto& buffer = connection_.buffer();
    session_.receive({static_cast<const std::byte*>(buffer.data().data()), buffer.size()}, now());
    buffer.clear();
    buffer.shrink_to_fit();
    connection_.allow_forever();
    if (core_.stopping) session_.go_away();
    core_.reactor.spawn(tasks_, write_loop());
    for (;;) {
        start_requests();
        output_.notify_all();
        const Bytes bytes = co_await connection_.transport().read_shared();
        if (bytes.empty()) break;
        session_.receive(bytes, now());
    }
    is_read_out_ = true;
    session_.close();
    output_.notify_all();
    co_await tasks_.close();
}

bool Http2Connection::may_start() const {
    const std::size_t unsent = session_.unsent_bytes();
    if (running_ >= kHttp2Streams || unsent >= kHttp2Unsent) return false;
    return unanswered_ == 0 || unsent + (unanswered_ + 1) * expected_ <= kHttp2Unsent;
}

void Http2Connection::start_requests() {
    while (may_start()) {
        Http2Stream* stream = session_.next_request();
        if (stream == nullptr) return;
        if (core_.requires_tls && !connection_.transport().is_secure()) stream->refusal = 403;
        if (stream->refusal == 0) {
            ++running_;
            ++unanswered_;
            core_.reactor.spawn(tasks_, run(*stream));
        } else {
            HttpResponse refusal =
                HttpResponse::text(stream->refusal, refusal_text(stream->refusal));
            answer(*stream, refusal);
            session_.release(*stream);
        }
    }
}

void Http2Connection::answer(Http2Stream& stream, HttpResponse& response) {
    session_.answer(stream, response, core_.date.at(core_.reactor.clock().wall_now()), now());
}

Task<void> Http2Connection::run(Http2Stream& stream) {
    ++core_.stats.requests;
    stream.request.is_secure = connection_.transport().is_secure();
    core_.stats.body_bytes_in += stream.request.body.size();
    HttpResponse response = co_await respond(core_, stream.request);
    --unanswered_;
    expected_ = std::max({response.body.size(), expected_ / 2, kHttp2AnswerAtLeast});
    session_.forget_body(stream);
    answer(stream, response);
    if (response.closes) session_.go_away();
    if (stream.is_streamed) {
        output_.notify_all();
        StreamWriter pieces(*this, stream);
        try {
            co_await response.stream(pieces);
            session_.finish(stream);
        } catch (const std::exception& exception) {
            fmt::print(stderr, "http: a streamed response failed: {}\n", exception.what());
            session_.abandon(stream);
        }
    }
    session_.release(stream);
    --running_;
    output_.notify_all();
}

Task<void> Http2Connection::write_loop() {
    std::string out;
    boost::system::error_code error;
    for (;;) {
        start_requests();
        session_.take_output(out, kHttp2Output, now());
        if (out.empty()) {
            if (session_.is_over() || is_read_out_) break;
            out = std::string();  // an idle connection holds none
            co_await output_.wait_until(MonoTime::max());
            continue;
        }
        connection_.allow(core_.limits.write_time);
        co_await connection_.transport().write(HttpTransport::one(out), error);
        connection_.allow_forever();
        if (error) break;
        out.clear();
    }
    if (error || session_.is_broken() || core_.stopping) co_return connection_.cut();
    // What was said last must not be lost by closing with unread input.
    connection_.transport().end_writing();
    connection_.allow(kLinger);
}

}  // namespace tidemill

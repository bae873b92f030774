#include "engine/http/http1_connection.h"

#include <cstring>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "engine/http/http_core.h"
#include "engine/http/http_respond.h"

namespace tidemill {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

constexpr std::size_t kFirstRead = 4_KiB;  // an idle connection holds no more
constexpr std::size_t kNextReads = 64_KiB;

std::string_view as_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct Http1Connection::Exchange {
    explicit Exchange(HttpCore& core) : reserved(core.bodies_bytes, core.limits.bodies_bytes) {}

    http::request_parser<http::string_body> parser;
    std::unique_ptr<char[]> bytes;  // the body with its padding
    BodyReservation reserved;
    HttpRequest request;
    bool is_http_1_0() const { return parser.get().version() < 11; }
};

/// Sends pieces as chunks; to an HTTP/1.0 client as they are.
class Http1Connection::ChunkWriter final : public HttpBodyWriter {
 public:
    ChunkWriter(Http1Connection& connection, bool chunked)
        : connection_(connection), chunked_(chunked) {}

    Task<Status> write(Bytes piece) override {
        if (piece.empty() && chunked_) co_return Status{};  // an empty chunk would end the body
        const std::string size = fmt::format("{:x}\r\n", piece.size());
        HttpTransport::Buffers buffers{
            asio::const_buffer{}, asio::buffer(piece.data(), piece.size()), asio::const_buffer{}};
        if (chunked_) {
            buffers[0] = asio::buffer(size);
            buffers[2] = asio::buffer("\r\n", 2);
        }
        is_broken_ = !co_await connection_.write(buffers) || is_broken_;
        connection_.core_.stats.body_bytes_out += piece.size();
        if (is_broken_) co_return fail(Errc::Cancelled, "the client has gone");
        co_return Status{};
    }
    bool is_stopping() const override { return connection_.core_.stopping || is_broken_; }
    bool is_broken() const { return is_broken_; }

 private:
    Http1Connection& connection_;
    bool chunked_;
    bool is_broken_ = false;
};

Http1Connection::Http1Connection(HttpConnection& connection)
    : connection_(connection),
      core_(connection.core()),
      transport_(connection.transport()),
      buffer_(connection.buffer()) {}

Task<void> Http1Connection::serve() {
    while (transport_.is_open() && co_await serve_one()) {
    }
}

/// Serves one request; false when the connection ends with it.
Task<bool> Http1Connection::serve_one() {
    if (buffer_.size() == 0) {
        if (core_.stopping) co_return false;
        if (buffer_.capacity() > kFirstRead || transport_.is_secure()) buffer_.shrink_to_fit();
        connection_.set_idle(true);
        connection_.allow(core_.limits.idle_time);
        const bool more = co_await connection_.fill(kFirstRead);
        connection_.set_idle(false);
        if (!more) co_return false;
    }
    Exchange exchange(core_);
    connection_.allow(core_.limits.header_time);
    if (!co_await read_head(exchange)) co_return false;
    if (core_.requires_tls && !transport_.is_secure()) {
        co_await refuse(403, "This port wants TLS: use https.\n");
        co_return false;
    }
    connection_.allow(core_.limits.body_time);
    if (!co_await read_body(exchange)) co_return false;
    connection_.allow_forever();
    ++core_.stats.requests;
    core_.stats.body_bytes_in += exchange.request.body.size();

    HttpResponse response = co_await respond(core_, exchange.request);
    const bool keep_alive =
        exchange.parser.get().keep_alive() && !response.closes && !core_.stopping;
    const bool is_head = exchange.request.method == "HEAD";
    const bool sent =
        co_await send(std::move(response), keep_alive, is_head, exchange.is_http_1_0());
    co_return sent&& keep_alive;
}

Task<bool> Http1Connection::read_head(Exchange& exchange) {
    auto& parser = exchange.parser;
    parser.header_limit(static_cast<std::uint32_t>(core_.limits.header_bytes));
    parser.body_limit(core_.limits.body_bytes);
    while (!parser.is_header_done()) {
        boost::system::error_code error;
        buffer_.consume(parser.put(buffer_.data(), error));
        if (error == http::error::need_more) {
            if (buffer_.size() >= core_.limits.header_bytes)
                error = http::error::header_limit;
            else if (!co_await connection_.fill(kFirstRead))
                co_return false;
            else
                continue;
        }
        if (error == http::error::header_limit) {
            co_await refuse(431, "The request's headers are too large.\n");
            co_return false;
        }
        if (error == http::error::body_limit) {
            co_await refuse(413, "The request's body is too large.\n");
            co_return false;
        }
        if (error) {
            co_await refuse(400, fmt::format("This is not HTTP/1.1: {}.\n", error.message()));
            co_return false;
        }
    }
    auto& request = exchange.request;
    const auto& message = parser.get();
    request.method = as_view(message.method_string());
    request.path = as_view(message.target());
    if (const auto mark = request.path.find('?'); mark != std::string_view::npos) {
        request.query = request.path.substr(mark + 1);
        request.path = request.path.substr(0, mark);
    }
    for (const auto& field : message)
        request.headers.emplace_back(as_view(field.name_string()), as_view(field.value()));
    request.peer = connection_.peer();
    request.is_secure = transport_.is_secure();
    co_return true;
}

Task<bool> Http1Connection::read_body(Exchange& exchange) {
    auto& parser = exchange.parser;
    const bool is_chunked = parser.chunked();
    const std::size_t length = static_cast<std::size_t>(parser.content_length().value_or(0));
    if (length > core_.limits.body_bytes) {
        co_await refuse(413, "The request's body is too large.\n");
        co_return false;
    }
    if (!exchange.reserved.hold(is_chunked ? core_.limits.body_bytes : length)) {
        co_await refuse(503, "The server has too many requests in progress.\n");
        co_return false;
    }
    if (const auto expect = exchange.request.header("Expect"); !expect.empty()) {
        if (!boost::beast::iequals(boost::beast::string_view(expect.data(), expect.size()),
                                   "100-continue")) {
            co_await refuse(417, "Only 100-continue may be expected.\n");
            co_return false;
        }
        const bool is_waiting = is_chunked || buffer_.size() < length;
        if (is_waiting && !co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
    }
    if (is_chunked) co_return co_await read_chunked_body(exchange);

    exchange.bytes = std::make_unique_for_overwrite<char[]>(length + kBodyPadding);
    const std::size_t here = std::min(length, buffer_.size());
    if (here > 0) std::memcpy(exchange.bytes.get(), buffer_.data().data(), here);
    buffer_.consume(here);
    if (here < length) {
        boost::system::error_code error;
        co_await transport_.read_whole(asio::buffer(exchange.bytes.get() + here, length - here),
                                       error);
        if (error) co_return false;
    }
    std::memset(exchange.bytes.get() + length, 0, kBodyPadding);
    exchange.request.body = {exchange.bytes.get(), length};
    co_return true;
}

Task<bool> Http1Connection::read_chunked_body(Exchange& exchange) {
    auto& parser = exchange.parser;
    parser.eager(true);
    while (!parser.is_done()) {
        boost::system::error_code error = http::error::need_more;
        if (buffer_.size() > 0) buffer_.consume(parser.put(buffer_.data(), error));
        if (error == http::error::need_more) {
            if (buffer_.size() == buffer_.max_size())
                error = http::error::bad_chunk_extension;
            else if (!co_await connection_.fill(kNextReads))
                co_return false;
            else
                continue;
        }
        if (error == http::error::body_limit) {
            co_await refuse(413, "The request's body is too large.\n");
            co_return false;
        }
        if (error) {
            co_await refuse(400, fmt::format("The chunked body is broken: {}.\n", error.message()));
            co_return false;
        }
    }
    std::string& body = parser.get().body();
    const std::size_t length = body.size();
    body.resize(length + kBodyPadding);
    exchange.request.body = std::string_view(body).substr(0, length);
    co_return true;
}

Task<bool> Http1Connection::send(HttpResponse response, bool keep_alive, bool is_head,
                                 bool is_http_1_0) {
    const bool streams = response.stream != nullptr;
    if (streams && is_http_1_0) keep_alive = false;
    std::string head;
    head.reserve(512);
    const auto to = std::back_inserter(head);
    fmt::format_to(to, "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                   http_reason(response.status), core_.date.at(core_.reactor.clock().wall_now()));
    if (!response.content_type.empty())
        fmt::format_to(to, "Content-Type: {}\r\n", response.content_type);
    for (const auto& [name, value] : response.headers)
        fmt::format_to(to, "{}: {}\r\n", name, value);
    if (!streams)
        fmt::format_to(to, "Content-Length: {}\r\n", response.body.size());
    else if (!is_http_1_0)
        head += "Transfer-Encoding: chunked\r\n";
    if (!keep_alive)
        head += "Connection: close\r\n";
    else if (is_http_1_0)
        head += "Connection: keep-alive\r\n";
    head += "\r\n";

    if (!streams) {
        core_.stats.body_bytes_out += response.body.size();
        co_return co_await write(head, is_head ? std::string_view{} : response.body);
    }
    if (!co_await write(head)) co_return false;
    if (is_head) co_return keep_alive;
    ChunkWriter pieces(*this, !is_http_1_0);
    bool failed = false;
    try {
        co_await response.stream(pieces);
    } catch (const std::exception& exception) {
        fmt::print(stderr, "http: a streamed response failed: {}\n", exception.what());
        failed = true;
    }
    // Without the last chunk the client knows that the body is incomplete.
    if (failed || pieces.is_broken()) co_return false;
    if (is_http_1_0) co_return false;
    co_return co_await write("0\r\n\r\n");
}

Task<bool> Http1Connection::write(std::string_view head, std::string_view body) {
    return write(HttpTransport::Buffers{asio::buffer(head), asio::buffer(body)});
}

Task<bool> Http1Connection::write(HttpTransport::Buffers buffers) {
    const MonoTime before = connection_.deadline();
    connection_.allow(core_.limits.write_time);
    boost::system::error_code error;
    co_await transport_.write(buffers, error);
    connection_.allow_until(before);
    co_return !error;
}

Task<void> Http1Connection::refuse(unsigned status, std::string text) {
    ++core_.stats.bad_requests;
    if (!co_await send(HttpResponse::text(status, std::move(text)), false, false, false)) co_return;
    co_await connection_.linger();
}

}  // namespace tidemill

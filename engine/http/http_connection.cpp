#include "engine/http/http_connection.h"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "engine/http/http_core.h"

namespace tidemill {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

using Token = asio::use_awaitable_t<asio::io_context::executor_type>;
constexpr std::size_t kFirstRead = 4_KiB;  // an idle connection holds no more
constexpr std::size_t kNextReads = 64_KiB;

std::string_view as_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string peer_of(const TcpSocket& socket) {
    boost::system::error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return "?";
    return fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

}  // namespace

struct HttpConnection::Exchange {
    http::request_parser<http::string_body> parser;
    std::unique_ptr<char[]> bytes;  // the body with its padding
    HttpRequest request;
    bool is_http_1_0() const { return parser.get().version() < 11; }
};

/// Sends pieces as chunks; to an HTTP/1.0 client as they are.
class HttpConnection::ChunkWriter final : public HttpBodyWriter {
 public:
    ChunkWriter(HttpConnection& connection, bool chunked)
        : connection_(connection), chunked_(chunked) {}

    Task<Status> write(Bytes piece) override {
        if (piece.empty() && chunked_) co_return Status{};  // an empty chunk would end the body
        std::array<asio::const_buffer, 3> buffers{
            asio::buffer(""), asio::buffer(piece.data(), piece.size()), asio::buffer("", 0)};
        const std::string size = fmt::format("{:x}\r\n", piece.size());
        buffers[0] = chunked_ ? asio::buffer(size) : asio::const_buffer{};
        if (chunked_) buffers[2] = asio::buffer("\r\n", 2);
        connection_.allow(connection_.core_.limits.write_time);
        boost::system::error_code error;
        co_await asio::async_write(connection_.socket_, buffers,
                                   asio::redirect_error(Token{}, error));
        connection_.deadline_ = MonoTime::max();
        connection_.core_.stats.body_bytes_out += piece.size();
        is_broken_ = is_broken_ || error;
        if (is_broken_) co_return fail(Errc::Cancelled, "the client has gone");
        co_return Status{};
    }
    bool is_stopping() const override { return connection_.core_.stopping || is_broken_; }
    bool is_broken() const { return is_broken_; }

 private:
    HttpConnection& connection_;
    bool chunked_;
    bool is_broken_ = false;
};

HttpConnection::HttpConnection(HttpCore& core, TcpSocket socket)
    : core_(core),
      socket_(std::move(socket)),
      buffer_(core.limits.header_bytes + kNextReads),
      peer_(peer_of(socket_)) {
    registered_ = core_.connections.insert(core_.connections.end(), this);
    ++core_.stats.connections_open;
    ++core_.stats.connections_total;
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

HttpConnection::~HttpConnection() {
    core_.bodies_bytes -= body_reserved_;
    core_.connections.erase(registered_);
    --core_.stats.connections_open;
}

void HttpConnection::cut() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void HttpConnection::allow(std::chrono::milliseconds time) {
    deadline_ = core_.reactor.clock().mono_now() + time;
}

bool HttpConnection::reserve_body(std::size_t bytes) {
    core_.bodies_bytes -= std::exchange(body_reserved_, 0);
    if (core_.bodies_bytes + bytes > core_.limits.bodies_bytes) return false;
    body_reserved_ = bytes;
    core_.bodies_bytes += bytes;
    return true;
}

Task<bool> HttpConnection::fill(std::size_t at_most) {
    boost::system::error_code error;
    const std::size_t room = std::min(at_most, buffer_.max_size() - buffer_.size());
    const std::size_t count = co_await socket_.async_read_some(
        buffer_.prepare(room), asio::redirect_error(Token{}, error));
    buffer_.commit(count);
    co_return !error && count > 0;
}

Task<void> HttpConnection::serve() {
    allow(core_.limits.header_time);
    if (co_await hand_over()) co_return;
    while (socket_.is_open() && co_await serve_one()) {
    }
    boost::system::error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_both, ignored);
}

/// True when the connection has been another protocol's, or has ended before anyone could tell.
Task<bool> HttpConnection::hand_over() {
    const auto first = [this] {
        return std::string_view(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    };
    // Most waits are for nothing to be sent yet; a connection may also stop in the middle of a
    // preface.
    for (const auto& [preface, handler] : core_.raw_handlers) {
        while (buffer_.size() < preface.size() && preface.starts_with(first())) {
            idle_ = buffer_.size() == 0;
            if (core_.stopping || !co_await fill(kFirstRead)) co_return true;
        }
        idle_ = false;
        if (!first().starts_with(preface)) continue;
        deadline_ = MonoTime::max();
        const Bytes bytes = as_bytes(first());
        std::vector<std::byte> first_bytes(bytes.begin(), bytes.end());
        buffer_.clear();
        co_await handler(std::move(socket_), std::move(first_bytes));
        co_return true;
    }
    co_return false;
}

/// Serves one request; false when the connection ends with it.
Task<bool> HttpConnection::serve_one() {
    if (buffer_.size() == 0) {
        if (core_.stopping) co_return false;
        idle_ = true;
        allow(core_.limits.idle_time);
        const bool more = co_await fill(kFirstRead);
        idle_ = false;
        if (!more) co_return false;
    }
    Exchange exchange;
    allow(core_.limits.header_time);
    if (!co_await read_head(exchange)) co_return false;
    allow(core_.limits.body_time);
    if (!co_await read_body(exchange)) co_return false;
    deadline_ = MonoTime::max();
    ++core_.stats.requests;
    core_.stats.body_bytes_in += exchange.request.body.size();

    HttpResponse response = co_await respond(exchange);
    const bool keep_alive =
        exchange.parser.get().keep_alive() && !response.closes && !core_.stopping;
    const bool is_head = exchange.request.method == "HEAD";
    const bool sent =
        co_await send(std::move(response), keep_alive, is_head, exchange.is_http_1_0());
    core_.bodies_bytes -= std::exchange(body_reserved_, 0);
    co_return sent&& keep_alive;
}

Task<bool> HttpConnection::read_head(Exchange& exchange) {
    auto& parser = exchange.parser;
    parser.header_limit(static_cast<std::uint32_t>(core_.limits.header_bytes));
    parser.body_limit(core_.limits.body_bytes);
    while (!parser.is_header_done()) {
        boost::system::error_code error;
        buffer_.consume(parser.put(buffer_.data(), error));
        if (error == http::error::need_more) {
            if (buffer_.size() >= core_.limits.header_bytes)
                error = http::error::header_limit;
            else if (!co_await fill(kFirstRead))
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
    request.peer = peer_;
    co_return true;
}

Task<bool> HttpConnection::read_body(Exchange& exchange) {
    auto& parser = exchange.parser;
    const bool is_chunked = parser.chunked();
    const std::size_t length = static_cast<std::size_t>(parser.content_length().value_or(0));
    if (length > core_.limits.body_bytes) {
        co_await refuse(413, "The request's body is too large.\n");
        co_return false;
    }
    if (!reserve_body(is_chunked ? core_.limits.body_bytes : length)) {
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
        if (is_waiting && !co_await write("HTTP/1.1 100 Continue\r\n\r\n", "")) co_return false;
    }
    if (is_chunked) co_return co_await read_chunked_body(exchange);

    exchange.bytes = std::make_unique_for_overwrite<char[]>(length + kBodyPadding);
    const std::size_t here = std::min(length, buffer_.size());
    if (here > 0) std::memcpy(exchange.bytes.get(), buffer_.data().data(), here);
    buffer_.consume(here);
    if (here < length) {
        boost::system::error_code error;
        co_await asio::async_read(socket_, asio::buffer(exchange.bytes.get() + here, length - here),
                                  asio::redirect_error(Token{}, error));
        if (error) co_return false;
    }
    std::memset(exchange.bytes.get() + length, 0, kBodyPadding);
    exchange.request.body = {exchange.bytes.get(), length};
    co_return true;
}

Task<bool> HttpConnection::read_chunked_body(Exchange& exchange) {
    auto& parser = exchange.parser;
    parser.eager(true);
    while (!parser.is_done()) {
        boost::system::error_code error = http::error::need_more;
        if (buffer_.size() > 0) buffer_.consume(parser.put(buffer_.data(), error));
        if (error == http::error::need_more) {
            if (buffer_.size() == buffer_.max_size())
                error = http::error::bad_chunk_extension;
            else if (!co_await fill(kNextReads))
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

Task<HttpResponse> HttpConnection::respond(Exchange& exchange) {
    const auto& request = exchange.request;
    HttpHandler* handler = core_.router.find(request.method, request.path);
    if (handler == nullptr && request.method == "HEAD")
        handler = core_.router.find("GET", request.path);
    if (handler == nullptr) {
        const unsigned status = core_.router.knows_path(request.path) ? 405 : 404;
        co_return HttpResponse::text(status, fmt::format("{}.\n", http_reason(status)));
    }
    try {
        co_return co_await handler->handle(request);
    } catch (const std::exception& exception) {
        fmt::print(stderr, "http: {} {} failed: {}\n", request.method, request.path,
                   exception.what());
    }
    HttpResponse failed = HttpResponse::text(500, "Internal Server Error.\n");
    failed.closes = true;
    co_return failed;
}

Task<bool> HttpConnection::send(HttpResponse response, bool keep_alive, bool is_head,
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
    if (!co_await write(head, "")) co_return false;
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
    co_return co_await write("0\r\n\r\n", "");
}

Task<bool> HttpConnection::write(std::string_view head, std::string_view body) {
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(body)};
    const MonoTime before = deadline_;
    allow(core_.limits.write_time);
    boost::system::error_code error;
    co_await asio::async_write(socket_, buffers, asio::redirect_error(Token{}, error));
    deadline_ = before;
    co_return !error;
}

Task<void> HttpConnection::refuse(unsigned status, std::string text) {
    ++core_.stats.bad_requests;
    if (!co_await send(HttpResponse::text(status, std::move(text)), false, false, false)) co_return;
    // Closing with unread input would reset the connection and lose the answer on its way.
    boost::system::error_code error;
    socket_.shutdown(asio::socket_base::shutdown_send, error);
    allow(std::chrono::seconds(2));
    for (std::size_t drained = 0; !error && drained < 2 * core_.limits.body_bytes;) {
        buffer_.clear();
        drained += co_await socket_.async_read_some(buffer_.prepare(kNextReads),
                                                    asio::redirect_error(Token{}, error));
    }
}

}  // namespace tidemill

#include "engine/http/http_connection.h"

#include <fmt/format.h>

#include "engine/http/http1_connection.h"
#include "engine/http/http2_connection.h"
#include "engine/http/http_core.h"

namespace tidemill {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kFirstRead = 4_KiB;
constexpr std::size_t kBufferBeyondHead = 64_KiB;
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr auto kLinger = std::chrono::seconds(2);

std::string peer_of(const TcpSocket& socket) {
    boost::system::error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return "?";
    return fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

}  // namespace

HttpConnection::HttpConnection(HttpCore& core, TcpSocket socket)
    : core_(core),
      transport_(std::move(socket), core.scratch),
      buffer_(core.limits.header_bytes + kBufferBeyondHead),
      peer_(peer_of(transport_.socket())) {
    registered_ = core_.connections.insert(core_.connections.end(), this);
    ++core_.stats.connections_open;
    ++core_.stats.connections_total;
}

HttpConnection::~HttpConnection() {
    core_.connections.erase(registered_);
    --core_.stats.connections_open;
}

void HttpConnection::allow(std::chrono::milliseconds time) {
    deadline_ = core_.reactor.clock().mono_now() + time;
}

void HttpConnection::stop() {
    if (http2_ != nullptr)
        http2_->stop();
    else if (idle_)
        cut();
}

void HttpConnection::sweep(MonoTime now) {
    if (deadline_ <= now) {
        ++core_.stats.timeouts;
        cut();
    } else if (http2_ != nullptr) {
        http2_->sweep(now);
    }
}

Task<bool> HttpConnection::fill(std::size_t at_most) {
    boost::system::error_code error;
    const std::size_t room = std::min(at_most, buffer_.max_size() - buffer_.size());
    const std::size_t count = co_await transport_.read_some(buffer_.prepare(room), error);
    buffer_.commit(count);
    co_return !error && count > 0;
}

Task<void> HttpConnection::serve() {
    allow(core_.limits.header_time);
    switch (co_await recognise()) {
        case Protocol::None:
            break;
        case Protocol::Raw:
            co_return co_await hand_over();
        case Protocol::Http1: {
            ++core_.stats.http1_connections;
            Http1Connection http1(*this);
            co_await http1.serve();
            break;
        }
        case Protocol::Http2: {
            ++core_.stats.http2_connections;
            Http2Connection http2(*this);
            http2_ = &http2;
            co_await http2.serve();
            http2_ = nullptr;
            break;
        }
    }
    transport_.end_writing();
}

/// What the first bytes say. None when the connection ends before anyone could tell.
Task<HttpConnection::Protocol> HttpConnection::recognise() {
    // Most waits are for nothing to be sent yet; a connection may also stop in the middle of a
    // preface.
    std::size_t raw = 0;
    for (; raw <= core_.raw_handlers.size(); ++raw) {
        const bool is_http2 = raw == core_.raw_handlers.size();
        const std::string_view preface = is_http2 ? kHttp2Preface : core_.raw_handlers[raw].first;
        const auto first = [this] {
            return std::string_view(static_cast<const char*>(buffer_.data().data()),
                                    buffer_.size());
        };
        while (buffer_.size() < preface.size() && preface.starts_with(first())) {
            idle_ = buffer_.size() == 0;
            if (core_.stopping || !co_await fill(kFirstRead)) co_return Protocol::None;
        }
        idle_ = false;
        if (!first().starts_with(preface)) continue;
        raw_ = raw;
        co_return is_http2 ? Protocol::Http2 : Protocol::Raw;
    }
    co_return Protocol::Http1;
}

Task<void> HttpConnection::hand_over() {
    allow_forever();
    const auto* first = static_cast<const std::byte*>(buffer_.data().data());
    std::vector<std::byte> first_bytes(first, first + buffer_.size());
    buffer_.clear();
    co_await core_.raw_handlers[raw_].second(transport_.take_socket(), std::move(first_bytes));
}

Task<void> HttpConnection::linger() {
    transport_.end_writing();
    allow(kLinger);
    const std::size_t at_most = 2 * core_.limits.body_bytes;
    for (std::size_t drained = 0; drained < at_most;) {
        const Bytes bytes = co_await transport_.read_shared();
        if (bytes.empty()) break;
        drained += bytes.size();
    }
}

}  // namespace tidemill

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
constexpr char kTlsHandshake = 0x16;       // a TLS record of that kind
constexpr std::size_t kHandshakes = 1000;  // under way on a core
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
    const std::size_t room = std::min(at_most, buffer_.max_size() - buffer_.size());
    if (transport_.is_secure()) {  // which reads into shared memory anyway
        const Bytes bytes = co_await transport_.read_shared(room);
        buffer_.commit(asio::buffer_copy(buffer_.prepare(bytes.size()),
                                         asio::buffer(bytes.data(), bytes.size())));
        co_return !bytes.empty();
    }
    boost::system::error_code error;
    const std::size_t count = co_await transport_.read_some(buffer_.prepare(room), error);
    buffer_.commit(count);
    co_return !error && count > 0;
}

Task<void> HttpConnection::serve() {
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

/// Takes the TLS handshake that the first bytes begin; false when it fails.
Task<bool> HttpConnection::secure() {
    if (core_.handshakes >= kHandshakes) {
        ++core_.stats.tls_failures;
        co_return false;
    }
    ++core_.handshakes;
    const TlsContext context = *core_.tls;  // may be replaced meanwhile
    const auto* first = static_cast<const std::byte*>(buffer_.data().data());
    const std::string failure = co_await transport_.start_tls(context, {first, buffer_.size()});
    --core_.handshakes;
    buffer_.clear();
    ++(failure.empty() ? core_.stats.tls_handshakes : core_.stats.tls_failures);
    co_return failure.empty();
}

/// What the first bytes say. None when the connection ends before anyone could tell.
Task<HttpConnection::Protocol> HttpConnection::recognise() {
    const auto first = [this] {
        return std::string_view(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    };
    const auto wait = [this] {
        idle_ = true;
        allow(core_.limits.idle_time);
        return fill(kFirstRead);
    };
    if (core_.stopping || !co_await wait()) co_return Protocol::None;
    idle_ = false;
    allow(core_.limits.header_time);
    if (core_.tls && first().front() == kTlsHandshake) {
        if (!co_await secure()) co_return Protocol::None;
        if (core_.stopping || !co_await wait()) co_return Protocol::None;
        idle_ = false;
        allow(core_.limits.header_time);
    }
    // A connection may stop in the middle of a preface.
    const std::size_t raws = transport_.is_secure() ? 0 : core_.raw_handlers.size();
    for (raw_ = 0; raw_ <= raws; ++raw_) {
        const bool is_http2 = raw_ == raws;
        const std::string_view preface = is_http2 ? kHttp2Preface : core_.raw_handlers[raw_].first;
        while (first().size() < preface.size() && preface.starts_with(first()))
            if (core_.stopping || !co_await fill(kFirstRead)) co_return Protocol::None;
        if (first().starts_with(preface)) co_return is_http2 ? Protocol::Http2 : Protocol::Raw;
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

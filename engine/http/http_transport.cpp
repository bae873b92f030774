#include "engine/http/http_transport.h"

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace tidemill {
namespace asio = boost::asio;
namespace {
using Token = asio::use_awaitable_t<asio::io_context::executor_type>;
constexpr std::size_t kWritten = 64_KiB;  // encrypted at a time
}  // namespace

HttpTransport::HttpTransport(TcpSocket socket, HttpScratch& scratch)
    : socket_(std::move(socket)), scratch_(scratch) {
    ErrorCode ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

Task<std::size_t> HttpTransport::read_some(asio::mutable_buffer into, ErrorCode& error) {
    if (tls_ != nullptr) return read_some_tls(into, error);
    return socket_.async_read_some(into, asio::redirect_error(Token{}, error));
}

Task<std::size_t> HttpTransport::read_whole(asio::mutable_buffer into, ErrorCode& error) {
    if (tls_ != nullptr) return read_whole_tls(into, error);
    return asio::async_read(socket_, into, asio::redirect_error(Token{}, error));
}

Task<Bytes> HttpTransport::read_shared(std::size_t at_most) {
    ErrorCode error;
    const MutableBytes into = MutableBytes(scratch_.plain).first(at_most);
    std::size_t count = 0;
    if (tls_ != nullptr)
        count = co_await read_some_tls(asio::buffer(into.data(), into.size()), error);
    else
        count = co_await receive(into, error);
    co_return Bytes(scratch_.plain).first(error ? 0 : count);
}

/// Waits first and reads then, so that nothing but the wait is held for a peer that is silent.
Task<std::size_t> HttpTransport::receive(MutableBytes into, ErrorCode& error) {
    if (!std::exchange(reads_at_once_, true)) socket_.non_blocking(true, error);
    while (!error) {
        co_await socket_.async_wait(TcpSocket::wait_read, asio::redirect_error(Token{}, error));
        if (error) break;
        const std::size_t count = socket_.read_some(asio::buffer(into.data(), into.size()), error);
        if (!error) co_return count;
        if (error == asio::error::would_block || error == asio::error::interrupted) error.clear();
    }
    co_return 0;
}

Task<std::size_t> HttpTransport::write(const Buffers& buffers, ErrorCode& error) {
    if (tls_ != nullptr) return write_tls(buffers, error);
    return asio::async_write(socket_, buffers, asio::redirect_error(Token{}, error));
}

Task<std::string> HttpTransport::start_tls(const TlsContext& context, Bytes first) {
    tls_ = std::make_unique<TlsSession>(context);
    tls_->feed(first);
    ErrorCode error;
    for (;;) {
        const auto state = tls_->handshake();
        co_await flush_tls(error);  // an alert, too
        if (state == TlsSession::State::Failed) co_return tls_->failure();
        if (state == TlsSession::State::Done && !error) co_return std::string{};
        const std::size_t count = co_await receive(scratch_.cipher, error);
        if (error) co_return error.message();
        tls_->feed(Bytes(scratch_.cipher).first(count));
    }
}

Task<std::size_t> HttpTransport::read_some_tls(asio::mutable_buffer into, ErrorCode& error) {
    const MutableBytes room(static_cast<std::byte*>(into.data()), into.size());
    for (;;) {
        std::size_t count = 0;
        const auto state = tls_->read(room, count);
        if (state == TlsSession::State::Done) co_return count;
        if (state != TlsSession::State::WantsInput) error = asio::error::eof;
        // What the protocol itself has to say; a writer at work takes it along.
        if (!error && tls_->has_output() && !is_flushing_) co_await flush_tls(error);
        if (error) co_return 0;
        const std::size_t got = co_await receive(scratch_.cipher, error);
        if (error) co_return 0;
        tls_->feed(Bytes(scratch_.cipher).first(got));
    }
}

Task<std::size_t> HttpTransport::read_whole_tls(asio::mutable_buffer into, ErrorCode& error) {
    std::size_t done = 0;
    while (done < into.size() && !error)
        done += co_await read_some_tls(into + done, error);
    co_return done;
}

Task<std::size_t> HttpTransport::write_tls(Buffers buffers, ErrorCode& error) {
    std::size_t written = 0;
    for (const auto& buffer : buffers) {
        Bytes left(static_cast<const std::byte*>(buffer.data()), buffer.size());
        while (!left.empty() && !error) {
            const Bytes piece = left.first(std::min(left.size(), kWritten));
            if (tls_->write(piece) != TlsSession::State::Done)
                error = asio::error::broken_pipe;
            else if (tls_->output_bytes() >= kWritten)
                co_await flush_tls(error);
            left = left.subspan(piece.size());
            written += piece.size();
        }
    }
    if (!error) co_await flush_tls(error);
    co_return written;
}

/// One at a time; the one at work takes along what others add meanwhile.
Task<void> HttpTransport::flush_tls(ErrorCode& error) {
    while (is_flushing_)
        co_await flushed_.wait_until(MonoTime::max());
    is_flushing_ = true;
    while (tls_->has_output() && !error) {
        const std::string out = tls_->take_output();
        co_await asio::async_write(socket_, asio::buffer(out),
                                   asio::redirect_error(Token{}, error));
    }
    is_flushing_ = false;
    flushed_.notify_all();
}

void HttpTransport::end_writing() {
    ErrorCode ignored;
    if (tls_ != nullptr && !is_flushing_ && is_open()) {
        // The goodbye is short: what the socket does not take at once is not worth a wait.
        tls_->end();
        const std::string out = tls_->take_output();
        socket_.non_blocking(true, ignored);
        socket_.write_some(asio::buffer(out), ignored);
    }
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void HttpTransport::close() {
    ErrorCode ignored;
    socket_.close(ignored);
}

}  // namespace tidemill

#include "engine/http/http_transport.h"

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace tidemill {
namespace asio = boost::asio;
namespace {
using Token = asio::use_awaitable_t<asio::io_context::executor_type>;
}  // namespace

HttpTransport::HttpTransport(TcpSocket socket, HttpScratch& scratch)
    : socket_(std::move(socket)), scratch_(scratch) {
    ErrorCode ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

Task<std::size_t> HttpTransport::read_some(asio::mutable_buffer into, ErrorCode& error) {
    return socket_.async_read_some(into, asio::redirect_error(Token{}, error));
}

Task<std::size_t> HttpTransport::read_whole(asio::mutable_buffer into, ErrorCode& error) {
    return asio::async_read(socket_, into, asio::redirect_error(Token{}, error));
}

Task<Bytes> HttpTransport::read_shared() {
    ErrorCode error;
    if (!std::exchange(reads_at_once_, true)) socket_.non_blocking(true, error);
    while (!error) {
        co_await socket_.async_wait(TcpSocket::wait_read, asio::redirect_error(Token{}, error));
        if (error) break;
        const std::size_t count = socket_.read_some(asio::buffer(scratch_.plain), error);
        if (!error) co_return Bytes(scratch_.plain).first(count);
        if (error == asio::error::would_block || error == asio::error::interrupted) error.clear();
    }
    co_return Bytes{};
}

Task<std::size_t> HttpTransport::write(const Buffers& buffers, ErrorCode& error) {
    return asio::async_write(socket_, buffers, asio::redirect_error(Token{}, error));
}

void HttpTransport::end_writing() {
    ErrorCode ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void HttpTransport::close() {
    ErrorCode ignored;
    socket_.close(ignored);
}

}  // namespace tidemill

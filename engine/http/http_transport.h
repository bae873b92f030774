#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "engine/base/bytes.h"
#include "engine/io/task.h"
#include "engine/reactor/signal.h"
#include "engine/security/tls_session.h"

namespace tidemill {

using TcpSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// Memory that the connections of one core share for what they read and use up at once.
struct HttpScratch {
    std::array<std::byte, 128_KiB> plain;
    std::array<std::byte, 64_KiB> cipher;
};

/// The bytes of one client, whatever they travel in: TCP alone or TLS in it. One task may read
/// while another writes. Core: its socket's. Ownership: the scratch memory outlives it.
class HttpTransport {
 public:
    using Buffers = std::array<boost::asio::const_buffer, 3>;
    using ErrorCode = boost::system::error_code;

    HttpTransport(TcpSocket socket, HttpScratch& scratch);

    /// From now on the bytes travel in TLS; `first` are those that were read already. Resumes after
    /// the handshake, with what went wrong, or nothing.
    Task<std::string> start_tls(const TlsContext& context, Bytes first);
    bool is_secure() const { return tls_ != nullptr; }

    /// Resumes with what has come, at least a byte; with 0 and `error` at the end.
    Task<std::size_t> read_some(boost::asio::mutable_buffer into, ErrorCode& error);
    /// Resumes when `into` is full; `error` when the peer ends before.
    Task<std::size_t> read_whole(boost::asio::mutable_buffer into, ErrorCode& error);
    /// Resumes with what has come, in the core's scratch memory: to be used up before the caller
    /// suspends. Takes no memory while nothing comes. Empty at the end.
    Task<Bytes> read_shared(std::size_t at_most = sizeof(HttpScratch::plain));
    /// Resumes when everything is on its way. Ownership: the bytes live until then.
    Task<std::size_t> write(const Buffers& buffers, ErrorCode& error);
    /// Tells the peer that nothing more will be written.
    void end_writing();

    bool is_open() const { return socket_.is_open(); }
    /// Ends it now: whatever waits for it fails.
    void close();
    const TcpSocket& socket() const { return socket_; }
    /// For protocols that take over from the first byte.
    TcpSocket take_socket() { return std::move(socket_); }

    static Buffers one(std::string_view bytes) { return {boost::asio::buffer(bytes)}; }

 private:
    Task<std::size_t> receive(MutableBytes into, ErrorCode& error);
    Task<std::size_t> read_some_tls(boost::asio::mutable_buffer into, ErrorCode& error);
    Task<std::size_t> read_whole_tls(boost::asio::mutable_buffer into, ErrorCode& error);
    Task<std::size_t> write_tls(Buffers buffers, ErrorCode& error);
    Task<void> flush_tls(ErrorCode& error);

    TcpSocket socket_;
    HttpScratch& scratch_;
    bool reads_at_once_ = false;
    std::unique_ptr<TlsSession> tls_;
    bool is_flushing_ = false;
    Signal flushed_;
};

}  // namespace tidemill

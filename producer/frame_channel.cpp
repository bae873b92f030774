#include "producer/frame_channel.h"

#include <algorithm>
#include <cerrno>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

#include "proto/native_table.h"
#include "proto/wire_limits.h"

namespace tidemill::client {
namespace {

constexpr std::size_t kInputBytes = 256_KiB;
constexpr std::size_t kInputBytesBusy = 1_MiB;

int milliseconds_until(MonoTime deadline) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
}

struct AddressList {
    addrinfo* first = nullptr;
    ~AddressList() {
        if (first != nullptr) ::freeaddrinfo(first);
    }
};

// 0, or the errno of why not.
int connect_until(int fd, const addrinfo& address, MonoTime deadline) {
    if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    pollfd wait{fd, POLLOUT, 0};
    int ready = 0;
    do {
        ready = ::poll(&wait, 1, milliseconds_until(deadline));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) return ETIMEDOUT;
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
    return error;
}

}  // namespace

std::unexpected<Error> FrameChannel::broken(Errc code, std::string_view what, int reason) {
    close();
    return fail(code, fmt::format("{}: {}", endpoint_.to_string(), what), reason);
}

Status FrameChannel::open(const Endpoint& endpoint, MonoTime deadline) {
    close();
    endpoint_ = endpoint;
    output_.clear();
    output_sent_ = 0;
    input_begin_ = input_end_ = input_needed_ = 0;
    TRY(connect_any(deadline));
    return say_hello(deadline);
}

Status FrameChannel::connect_any(MonoTime deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    AddressList addresses;
    const int resolved = ::getaddrinfo(
        endpoint_.host.c_str(), std::to_string(endpoint_.port).c_str(), &hints, &addresses.first);
    if (resolved != 0)
        return broken(Errc::Unavailable,
                      fmt::format("the host name does not resolve: {}", ::gai_strerror(resolved)));
    int reason = 0;
    for (const auto* at = addresses.first; at != nullptr; at = at->ai_next) {
        fd_ = ::socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                       at->ai_protocol);
        if (fd_ < 0) {
            reason = errno;
            continue;
        }
        reason = connect_until(fd_, *at, deadline);
        if (reason == 0) break;
        close();
    }
    if (fd_ < 0) return broken(Errc::Unavailable, "cannot connect", reason);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return {};
}

Status FrameChannel::say_hello(MonoTime deadline) {
    const Bytes preface = as_bytes(wire::kPreface);
    output_.assign(preface.begin(), preface.end());
    flatbuffers::FlatBufferBuilder builder;
    const auto client = builder.CreateString("tidemill-cpp");
    builder.Finish(wire::CreateHelloRequest(builder, wire::kProtocolVersion, client));
    send(wire::Kind::Hello, next_request_id(), wire::finished_bytes(builder));
    for (;;) {
        TRY(flush());
        ASSIGN(const auto frame, next());
        if (!frame) {
            ASSIGN(const bool has_read, fill());
            if (!has_read && !wait(deadline))
                return broken(Errc::Timeout, "connected, but the broker does not answer");
            continue;
        }
        if (frame->is_error()) {
            const Error error = error_of(*frame, endpoint_);
            close();
            return std::unexpected(error);
        }
        const wire::TableBytes copy(frame->envelope);
        const auto reply = copy.read<wire::HelloReply>();
        if (!reply) return broken(Errc::Corrupt, "the answer to Hello cannot be read");
        greeting_ = {wire::text_of((*reply)->server()), wire::text_of((*reply)->durability()),
                     (*reply)->requests_in_flight_max(), (*reply)->codecs()};
        return {};
    }
}

void FrameChannel::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void FrameChannel::queue(wire::Kind kind, std::uint32_t id, Bytes envelope, Bytes attachment,
                         bool has_attachment) {
    const std::size_t head = wire::frame_head_bytes(envelope.size(), has_attachment);
    const std::size_t at = output_.size();
    output_.resize(at + head + attachment.size());
    wire::write_frame_head(output_.data() + at, static_cast<std::uint8_t>(kind),
                           has_attachment ? wire::kAttachment : std::uint8_t{0}, id, envelope,
                           attachment.size());
    if (!attachment.empty())
        std::memcpy(output_.data() + at + head, attachment.data(), attachment.size());
}

Status FrameChannel::flush() {
    while (wants_write()) {
        const ssize_t sent =
            ::send(fd_, output_.data() + output_sent_, unsent_bytes(), MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) break;
            return broken(Errc::Unavailable, "the connection broke", errno);
        }
        output_sent_ += static_cast<std::size_t>(sent);
    }
    if (!wants_write()) {
        output_.clear();
        output_sent_ = 0;
    } else if (output_sent_ > 1_MiB && output_sent_ > output_.size() / 2) {
        output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(output_sent_));
        output_sent_ = 0;
    }
    return {};
}

Result<bool> FrameChannel::fill() {
    const std::size_t held = input_end_ - input_begin_;
    const bool was_full = input_end_ == input_capacity_;
    std::size_t wanted = std::max(input_capacity_, kInputBytes);
    if (was_full && input_capacity_ >= kInputBytes) wanted = std::max(wanted, kInputBytesBusy);
    if (input_needed_ > wanted) wanted = align_up(input_needed_ + kInputBytes, kInputBytes);
    if (wanted != input_capacity_) {
        auto larger = std::make_unique_for_overwrite<std::byte[]>(wanted);
        if (held != 0) std::memcpy(larger.get(), input_.get() + input_begin_, held);
        input_ = std::move(larger);
        input_capacity_ = wanted;
    } else if (held != 0 && input_begin_ != 0) {
        std::memmove(input_.get(), input_.get() + input_begin_, held);
    }
    input_begin_ = 0;
    input_end_ = held;
    for (;;) {
        const ssize_t got = ::recv(fd_, input_.get() + input_end_, input_capacity_ - input_end_, 0);
        if (got > 0) {
            input_end_ += static_cast<std::size_t>(got);
            return true;
        }
        if (got == 0) return broken(Errc::Unavailable, "the broker closed the connection");
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
        return broken(Errc::Unavailable, "the connection broke", errno);
    }
}

Result<std::optional<wire::FrameView>> FrameChannel::next() {
    auto frame = wire::parse_frame({input_.get() + input_begin_, input_end_ - input_begin_},
                                   wire_limits::kFrameBytesMax, &input_needed_);
    if (!frame) return broken(frame.error().code, frame.error().message);
    if (!*frame) return std::nullopt;
    if (!(*frame)->is_reply())
        return broken(Errc::Corrupt, "the broker sent a request where an answer belongs");
    input_begin_ += (*frame)->size();
    if ((*frame)->header.kind == static_cast<std::uint8_t>(wire::Kind::ConnectionError)) {
        const Error error = error_of(**frame, endpoint_);
        close();
        return std::unexpected(error);
    }
    return *frame;
}

bool FrameChannel::wait(MonoTime deadline) const {
    pollfd wait{fd_, static_cast<short>(wants_write() ? POLLIN | POLLOUT : POLLIN), 0};
    int ready = 0;
    do {
        ready = ::poll(&wait, 1, milliseconds_until(deadline));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

Error error_of(const wire::FrameView& frame, const Endpoint& endpoint) {
    const wire::TableBytes copy(frame.envelope);
    const auto reply = copy.read<wire::ErrorReply>();
    if (!reply)
        return Error(Errc::Corrupt,
                     fmt::format("{}: an error that cannot be read", endpoint.to_string()));
    return error_named(
        wire::text_of((*reply)->code()),
        fmt::format("{}: {}", endpoint.to_string(), wire::text_of((*reply)->message())));
}

}  // namespace tidemill::client

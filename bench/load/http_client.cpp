#include "bench/load/http_client.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

#include "engine/base/bytes.h"
#include "producer/endpoint.h"

namespace tidemill::bench {
namespace {

constexpr std::size_t kReadAtOnce = 256_KiB;
constexpr int kPatienceMs = 30'000;

/// The value of a header in a head, in lower case letters as asked for; empty when absent.
std::string_view header(std::string_view head, std::string_view name) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
        const std::string_view line = head.substr(at + 2);
        if (line.size() <= name.size() || line[name.size()] != ':' ||
            ::strncasecmp(line.data(), name.data(), name.size()) != 0)
            continue;
        std::string_view value = line.substr(name.size() + 1, line.find("\r\n") - name.size() - 1);
        while (value.starts_with(' '))
            value.remove_prefix(1);
        return value;
    }
    return {};
}

}  // namespace

HttpClient::~HttpClient() {
    if (fd_ >= 0) ::close(fd_);
}

Status HttpClient::open(const std::string& text) {
    ASSIGN(const client::Endpoint endpoint, client::Endpoint::parse(text));
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints,
                      &found) != 0)
        return fail(Errc::Unavailable, fmt::format("there is no host {}", endpoint.host));
    for (const addrinfo* at = found; at != nullptr && fd_ < 0; at = at->ai_next) {
        fd_ = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd_ >= 0 && ::connect(fd_, at->ai_addr, at->ai_addrlen) == 0) continue;
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    ::freeaddrinfo(found);
    if (fd_ < 0)
        return fail(Errc::Unavailable, fmt::format("cannot connect to {}", endpoint.to_string()));
    const int one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return {};
}

Status HttpClient::send(std::string_view request) {
    unsent_ = request;
    used_ = body_at_ = body_bytes_ = 0;
    is_chunked_ = false;
    return flush();
}

Status HttpClient::flush() {
    while (!unsent_.empty()) {
        const ssize_t sent =
            ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0)
            return fail(Errc::Unavailable, fmt::format("cannot send: {}", std::strerror(errno)));
        unsent_.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<bool> HttpClient::fill() {
    if (buffer_.size() < used_ + kReadAtOnce) buffer_.resize(2 * used_ + kReadAtOnce);
    const ssize_t got = ::recv(fd_, buffer_.data() + used_, buffer_.size() - used_, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
    if (got <= 0) return fail(Errc::Unavailable, "the server has closed the connection");
    used_ += static_cast<std::size_t>(got);
    return parse();
}

Result<bool> HttpClient::parse() {
    const std::string_view text(buffer_.data(), used_);
    if (body_at_ == 0) {
        const auto end = text.find("\r\n\r\n");
        if (end == std::string_view::npos) return false;
        const std::string_view head = text.substr(0, end + 2);
        if (!head.starts_with("HTTP/1.1 ") || head.size() < 12)
            return fail(Errc::Corrupt, "the answer is not HTTP/1.1");
        std::from_chars(head.data() + 9, head.data() + 12, answer_.status);
        body_at_ = chunk_at_ = end + 4;
        is_chunked_ = header(head, "transfer-encoding") == "chunked";
        chunks_.clear();
        const auto length = header(head, "content-length");
        std::from_chars(length.data(), length.data() + length.size(), body_bytes_);
    }
    if (is_chunked_) return parse_chunks();
    if (used_ < body_at_ + body_bytes_) return false;
    answer_.body = text.substr(body_at_, body_bytes_);
    return true;
}

Result<bool> HttpClient::parse_chunks() {
    const std::string_view text(buffer_.data(), used_);
    for (;;) {
        const auto line_end = text.find("\r\n", chunk_at_);
        if (line_end == std::string_view::npos) return false;
        std::size_t size = 0;
        const auto [end, error] =
            std::from_chars(text.data() + chunk_at_, text.data() + line_end, size, 16);
        if (error != std::errc()) return fail(Errc::Corrupt, "a chunk without a size");
        if (used_ < line_end + 2 + size + 2) return false;
        if (size == 0) break;
        chunks_ += text.substr(line_end + 2, size);
        chunk_at_ = line_end + 2 + size + 2;
    }
    answer_.body = chunks_;
    return true;
}

Result<HttpClient::Answer> HttpClient::ask(std::string_view request) {
    TRY(send(request));
    for (;;) {
        pollfd wait{fd_, static_cast<short>(wants_write() ? POLLIN | POLLOUT : POLLIN), 0};
        if (::poll(&wait, 1, kPatienceMs) == 0)
            return fail(Errc::Timeout, "no answer for 30 seconds");
        TRY(flush());
        ASSIGN(const bool is_whole, fill());
        if (is_whole) return answer_;
    }
}

}  // namespace tidemill::bench

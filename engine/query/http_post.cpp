#include "engine/query/http_post.h"

#include <cerrno>
#include <charconv>
#include <sys/socket.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

namespace tidemill::query {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kAnswerMax = 64 * 1024;

/// A socket, and until when everything on it must be done.
class Connection {
 public:
    explicit Connection(Clock::time_point deadline) : deadline_(deadline) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { close(); }

    Status open(const HttpUrl& url) {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* addresses = nullptr;
        if (const int error = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &addresses);
            error != 0)
            return fail(Errc::Unavailable, fmt::format("{}: {}", url.host, ::gai_strerror(error)));
        Status status = fail(Errc::Unavailable, url.host + " has no address");
        for (const addrinfo* at = addresses; at != nullptr; at = at->ai_next) {
            status = connect(*at);
            if (status || status.error().code == Errc::Timeout) break;
        }
        ::freeaddrinfo(addresses);
        return status;
    }

    Status send(std::string_view text) {
        while (!text.empty()) {
            TRY(wait(POLLOUT));
            const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EAGAIN) continue;
            if (sent < 0) return fail(Errc::Unavailable, "the connection ended", errno);
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return {};
    }

    /// Up to the end of the line; what follows is of no interest.
    Result<std::string> read_line() {
        std::string line;
        char buffer[1024];
        while (line.find('\n') == std::string::npos && line.size() < kAnswerMax) {
            TRY(wait(POLLIN));
            const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0)
                return fail(Errc::Unavailable, "the connection ended", got < 0 ? errno : 0);
            line.append(buffer, static_cast<std::size_t>(got));
        }
        return line;
    }

 private:
    Status connect(const addrinfo& address) {
        close();
        fd_ = ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                       address.ai_protocol);
        if (fd_ < 0) return fail(Errc::Unavailable, "no socket", errno);
        if (::connect(fd_, address.ai_addr, address.ai_addrlen) == 0) return {};
        if (errno != EINPROGRESS) return fail(Errc::Unavailable, "no connection", errno);
        TRY(wait(POLLOUT));
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return fail(Errc::Unavailable, "no connection", error);
        return {};
    }
    Status wait(short events) {
        pollfd poll{fd_, events, 0};
        for (;;) {
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
            if (left.count() <= 0) return fail(Errc::Timeout, "no answer in time");
            const int ready = ::poll(&poll, 1, static_cast<int>(left.count()));
            if (ready > 0) return {};
            if (ready < 0 && errno != EINTR) return fail(Errc::IoFailed, "cannot wait", errno);
        }
    }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

    Clock::time_point deadline_;
    int fd_ = -1;
};

}  // namespace

Result<HttpUrl> HttpUrl::parse(std::string_view text) {
    constexpr std::string_view kScheme = "http://";
    if (text.size() < kScheme.size() || text.find_first_of(" \r\n\t") != std::string_view::npos)
        return fail(Errc::InvalidArgument, fmt::format("{} is no URL", text));
    text.remove_prefix(kScheme.size());
    HttpUrl url;
    const auto slash = std::min(text.find('/'), text.size());
    if (slash < text.size()) url.path = text.substr(slash);
    std::string_view host = text.substr(0, slash);
    const auto bracket = host.rfind(']');
    const auto colon = host.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        url.port = host.substr(colon + 1);
        host = host.substr(0, colon);
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    url.host = host;
    if (url.host.empty() || url.port.empty() ||
        url.port.find_first_not_of("0123456789") != std::string::npos)
        return fail(Errc::InvalidArgument, "expected http://host[:port]/path");
    return url;
}

Result<int> http_post(const HttpUrl& url, std::string_view content_type, std::string_view body,
                      std::chrono::milliseconds timeout) {
    Connection connection(Clock::now() + timeout);
    TRY(connection.open(url));
    TRY(
        connection.send(fmt::format("POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: {}\r\n"
                                    "Content-Length: {}\r\nConnection: close\r\n"
                                    "User-Agent: tidemill\r\n\r\n",
                                    url.path, url.host, url.port, content_type, body.size())));
    TRY(connection.send(body));
    ASSIGN(const std::string line, connection.read_line());
    int status = 0;
    if (line.starts_with("HTTP/1.") && line.size() > 12)
        std::from_chars(line.data() + 9, line.data() + 12, status);
    if (status < 100 || status > 599) return fail(Errc::Corrupt, "the answer is no HTTP");
    return status;
}

}  // namespace tidemill::query

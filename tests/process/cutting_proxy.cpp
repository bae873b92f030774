#include "tests/process/cutting_proxy.h"

#include <cstdlib>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace tidemill::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool send_all(int to, const char* bytes, std::size_t count) {
    while (count > 0) {
        const ssize_t sent = ::send(to, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        count -= static_cast<std::size_t>(sent);
    }
    return true;
}

}  // namespace

CuttingProxy::CuttingProxy(std::uint64_t seed, std::uint64_t cuts) : random_(seed), cuts_(cuts) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
        ::pipe2(wake_, O_CLOEXEC) != 0)
        std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

CuttingProxy::~CuttingProxy() {
    ::close(wake_[1]);
    thread_.join();
    for (const auto& pair : pairs_) {
        ::close(pair.client);
        ::close(pair.broker);
    }
    ::close(wake_[0]);
    ::close(listener_);
}

std::string CuttingProxy::address() const { return "127.0.0.1:" + std::to_string(port_); }

void CuttingProxy::lead_to(const std::string& address) {
    const std::lock_guard lock(mutex_);
    broker_port_ = static_cast<std::uint16_t>(std::atoi(address.c_str() + address.rfind(':') + 1));
}

void CuttingProxy::run() {
    for (;;) {
        std::vector<pollfd> polled = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
        for (const auto& pair : pairs_) {
            polled.push_back({pair.client, POLLIN, 0});
            polled.push_back({pair.broker, POLLIN, 0});
        }
        if (::poll(polled.data(), polled.size(), -1) < 0) continue;
        if (polled[0].revents != 0) return;
        for (std::size_t i = pairs_.size(); i-- > 0;) {
            auto& pair = pairs_[i];
            const bool lives = (polled[2 + i * 2].revents == 0 || pass_request(pair)) &&
                               (polled[3 + i * 2].revents == 0 || pass_answer(pair));
            if (lives) continue;
            ::close(pair.client);
            ::close(pair.broker);
            pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
        }
        if (polled[1].revents != 0) accept_one();
    }
}

void CuttingProxy::accept_one() {
    Pair pair;
    pair.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (pair.client < 0) return;
    pair.broker = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    {
        const std::lock_guard lock(mutex_);
        address = loopback(broker_port_);
    }
    if (::connect(pair.broker, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(pair.client);
        ::close(pair.broker);
        return;
    }
    // The first answer is the greeting; some connections get further than others.
    pair.answers_left = 2 + random_.below(30);
    pair.requests_left = 3 + random_.below(60);
    pairs_.push_back(pair);
}

bool CuttingProxy::pass_request(Pair& pair) {
    char bytes[16384];
    const ssize_t got = ::recv(pair.client, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    const auto count = static_cast<std::size_t>(got);
    if (cuts_ > 0 && --pair.requests_left == 0) {
        --cuts_;
        ++requests_cut_;
        (void)send_all(pair.broker, bytes, random_.below(count));
        return false;
    }
    return send_all(pair.broker, bytes, count);
}

bool CuttingProxy::pass_answer(Pair& pair) {
    char bytes[16384];
    const ssize_t got = ::recv(pair.broker, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    if (cuts_ > 0 && --pair.answers_left == 0) {
        --cuts_;
        ++answers_lost_;
        return false;
    }
    return send_all(pair.client, bytes, static_cast<std::size_t>(got));
}

}  // namespace tidemill::test

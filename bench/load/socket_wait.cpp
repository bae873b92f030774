#include "bench/load/socket_wait.h"

#include <algorithm>
#include <array>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include <unistd.h>

#include "engine/base/check.h"

namespace tidemill::bench {

SocketWait::SocketWait() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    TM_CHECK(epoll_ >= 0, "no epoll");
    // The default slack of 50 us would stand in every open-loop latency.
    ::prctl(PR_SET_TIMERSLACK, 1UL);
}

SocketWait::~SocketWait() { ::close(epoll_); }

void SocketWait::add(int fd, std::uint32_t index) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = index;
    TM_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
    if (wants_write_.size() <= index) wants_write_.resize(index + 1);
}

void SocketWait::want_write(int fd, std::uint32_t index, bool wants) {
    if (wants_write_[index] == wants) return;
    wants_write_[index] = wants;
    epoll_event event{};
    event.events = wants ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u32 = index;
    TM_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0);
}

const std::vector<std::uint32_t>& SocketWait::wait_until(MonoTime deadline) {
    ready_.clear();
    const auto left = std::max<std::chrono::nanoseconds>(
        deadline - std::chrono::steady_clock::now(), std::chrono::nanoseconds{0});
    const timespec timeout{left / 1s, (left % 1s).count()};
    std::array<epoll_event, 256> events;
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < count; ++i)
        ready_.push_back(events[static_cast<std::size_t>(i)].data.u32);
    return ready_;
}

}  // namespace tidemill::bench

#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace tidemill::bench {

/// epoll over the load's sockets, by index.
class SocketWait {
 public:
    SocketWait();
    SocketWait(const SocketWait&) = delete;
    SocketWait& operator=(const SocketWait&) = delete;
    ~SocketWait();

    void add(int fd, std::uint32_t index);
    void want_write(int fd, std::uint32_t index, bool wants);
    /// Indexes of the sockets that are ready, each once; empty at the deadline. Microsecond-exact.
    const std::vector<std::uint32_t>& wait_until(MonoTime deadline);

 private:
    int epoll_ = -1;
    std::vector<std::uint32_t> ready_;
    std::vector<bool> wants_write_;  // by index
};

}  // namespace tidemill::bench

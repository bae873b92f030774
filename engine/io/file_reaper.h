#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace tidemill {

/// Closes removed files on a thread of its own. The last close of a removed file gives its blocks
/// back, which takes a file system milliseconds to seconds for a large one (measured: 1.3 s for
/// 2 GiB on ext4 mounted with `discard`): no run loop may wait for it. The thread exists only once
/// a file was handed over. The destructor waits for what is left.
class FileReaper {
 public:
    FileReaper() = default;
    FileReaper(const FileReaper&) = delete;
    FileReaper& operator=(const FileReaper&) = delete;
    ~FileReaper();

    /// Takes the descriptor over.
    void close_later(int fd);
    /// Whether blocks are still being given back.
    bool is_busy() const { return left_.load(std::memory_order_acquire) > 0; }

 private:
    void work();

    std::mutex mutex_;
    std::condition_variable has_work_;
    std::vector<int> todo_;     // under mutex_
    bool is_stopping_ = false;  // under mutex_
    std::atomic<std::size_t> left_{0};
    std::thread thread_;
};

}  // namespace tidemill

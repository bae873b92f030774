#include "engine/io/file_reaper.h"

#include <unistd.h>

namespace tidemill {

FileReaper::~FileReaper() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    has_work_.notify_one();
    thread_.join();
}

void FileReaper::close_later(int fd) {
    left_.fetch_add(1, std::memory_order_release);
    {
        const std::lock_guard lock(mutex_);
        todo_.push_back(fd);
    }
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
    has_work_.notify_one();
}

void FileReaper::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        has_work_.wait(lock, [this] { return is_stopping_ || !todo_.empty(); });
        if (todo_.empty()) return;
        const int fd = todo_.back();
        todo_.pop_back();
        lock.unlock();
        ::close(fd);
        left_.fetch_sub(1, std::memory_order_release);
        lock.lock();
    }
}

}  // namespace tidemill

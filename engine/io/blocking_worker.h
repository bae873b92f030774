#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tidemill {

/// A thread for calls that block and have no other way: a pipe to a command, a connection to
/// somebody's HTTP server, a file outside the data directory. Runs jobs one after the other. The
/// thread exists only once a job was handed over. The destructor waits for all of them: a job has a
/// deadline of its own. Core: one; the jobs touch nothing but what was handed to them.
class BlockingWorker {
 public:
    BlockingWorker() = default;
    BlockingWorker(const BlockingWorker&) = delete;
    BlockingWorker& operator=(const BlockingWorker&) = delete;
    ~BlockingWorker();

    void post(std::move_only_function<void()> job);

 private:
    void work();

    std::mutex mutex_;
    std::condition_variable has_work_;
    std::deque<std::move_only_function<void()>> jobs_;  // under mutex_
    bool is_stopping_ = false;                          // under mutex_
    std::thread thread_;
};

}  // namespace tidemill

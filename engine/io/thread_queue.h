#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/io/io_queue.h"

namespace tidemill {

/// A few threads that make blocking calls: the fallback where io_uring is forbidden (Docker's
/// default seccomp profile). Core: one; its threads touch nothing but the requests handed to them.
class ThreadQueue final : public IoQueue {
 public:
    ThreadQueue(boost::asio::io_context& context, unsigned threads);
    ThreadQueue(const ThreadQueue&) = delete;
    ThreadQueue& operator=(const ThreadQueue&) = delete;
    ~ThreadQueue() override;

    void start(IoRequest& request) override;
    void submit() override;
    std::size_t reap() override;
    bool before_sleep() override { return true; }
    void after_sleep() override {}
    std::size_t in_flight() const override { return in_flight_; }
    std::string description() const override;

 private:
    void work();

    boost::asio::io_context& context_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);  // for wake-ups still posted
    std::size_t in_flight_ = 0;
    IoRequestList collected_;  // since the last submit

    std::mutex mutex_;
    std::condition_variable has_work_;
    IoRequestList todo_, ended_;  // under mutex_
    bool stopping_ = false;       // under mutex_
    std::atomic<bool> has_ended_{false};
    std::vector<std::thread> threads_;
};

}  // namespace tidemill

#pragma once

#include <memory>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <liburing.h>

#include "engine/base/result.h"
#include "engine/io/io_queue.h"

namespace tidemill {

/// One io_uring of one core. Requests are collected and handed over by `submit`; completions are
/// found by a peek into shared memory in `reap`. Only before the core sleeps is the ring's eventfd
/// switched on, which wakes the io_context. Core: the thread that made it (the ring has a single
/// issuer).
class UringQueue final : public IoQueue {
 public:
    /// Errors: Unsupported when the kernel or its policy forbids io_uring (sys_errno says why).
    static Result<std::unique_ptr<UringQueue>> make(boost::asio::io_context& context);
    UringQueue(const UringQueue&) = delete;
    UringQueue& operator=(const UringQueue&) = delete;
    ~UringQueue() override;

    void start(IoRequest& request) override;
    void submit() override;
    std::size_t reap() override;
    bool before_sleep() override;
    void after_sleep() override;
    std::size_t in_flight() const override { return in_flight_; }
    std::string description() const override { return "io_uring"; }

 private:
    explicit UringQueue(boost::asio::io_context& context) : event_(context) {}
    Status set_up();
    bool prepare(IoRequest& request);
    void watch();

    io_uring ring_{};
    bool has_ring_ = false;
    unsigned limit_ = 0;         // completions the ring can hold: never more in the kernel
    std::size_t in_flight_ = 0;  // in the kernel, prepared, or waiting
    std::size_t prepared_ = 0;   // in the submission queue
    std::size_t inside_ = 0;     // prepared or in the kernel
    IoRequestList waiting_;      // for room in the ring
    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> event_;
    std::uint64_t event_count_ = 0;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace tidemill

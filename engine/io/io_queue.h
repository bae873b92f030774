#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/io/suspension.h"

namespace tidemill {

/// One system call's worth of work on a file descriptor. Lives in the frame of the coroutine that
/// waits for it.
struct IoRequest {
    enum class Kind : std::uint8_t { Write, Read, Sync, SyncDirectory, Punch, Grow };

    Kind kind = Kind::Read;
    bool is_durable = false;  ///< Write: with RWF_DSYNC
    int fd = -1;
    std::uint64_t offset = 0;
    std::byte* data = nullptr;
    std::size_t length = 0;
    int result = 0;             ///< bytes moved, 0, or -errno
    IoRequest* next = nullptr;  ///< the queue's own
    Suspension waiter;

    /// The kernel moves no more than this in one call (and an io_uring length has 32 bits).
    static constexpr std::size_t kMaxLength = std::size_t{1} << 30;
};

/// A first-in first-out list of requests that live elsewhere.
class IoRequestList {
 public:
    bool is_empty() const { return first_ == nullptr; }
    void push(IoRequest& request) {
        request.next = nullptr;
        (first_ == nullptr ? first_ : last_->next) = &request;
        last_ = &request;
    }
    IoRequest& front() { return *first_; }
    IoRequest& pop() {
        IoRequest& request = *first_;
        first_ = request.next;
        return request;
    }

 private:
    IoRequest* first_ = nullptr;
    IoRequest* last_ = nullptr;
};

/// SEAM inside engine/io: how requests reach the kernel without blocking the core. Two
/// implementations: io_uring and a few threads. A request is either complete or it failed;
/// continuing short ones is the file's business. Core: one, except inside an implementation.
class IoQueue {
 public:
    virtual ~IoQueue() = default;

    /// Begins `request`; its waiter is resumed from `reap` or from the io_context, never from
    /// within `start`.
    virtual void start(IoRequest& request) = 0;
    /// Hands what was started to the kernel.
    virtual void submit() = 0;
    /// Resumes the waiters of ended requests; returns how many.
    virtual std::size_t reap() = 0;
    /// See Disk::before_sleep.
    virtual bool before_sleep() = 0;
    virtual void after_sleep() = 0;
    virtual std::size_t in_flight() const = 0;
    virtual std::string description() const = 0;
};

}  // namespace tidemill

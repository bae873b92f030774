#include "engine/io/thread_queue.h"

#include <cerrno>
#include <sys/uio.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "engine/base/check.h"

namespace tidemill {
namespace {

int perform(const IoRequest& request) {
    const auto offset = static_cast<off_t>(request.offset);
    iovec part{request.data, request.length};
    ssize_t outcome = -1;
    switch (request.kind) {
        case IoRequest::Kind::Write:
            outcome = ::pwritev2(request.fd, &part, 1, offset, request.is_durable ? RWF_DSYNC : 0);
            break;
        case IoRequest::Kind::Read:
            outcome = ::preadv2(request.fd, &part, 1, offset, 0);
            break;
        case IoRequest::Kind::Sync:
            outcome = ::fdatasync(request.fd);
            break;
        case IoRequest::Kind::SyncDirectory:
            outcome = ::fsync(request.fd);
            break;
        case IoRequest::Kind::Punch:
            outcome = ::fallocate(request.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
                                  static_cast<off_t>(request.length));
            break;
        case IoRequest::Kind::Grow:
            outcome = ::fallocate(request.fd, 0, offset, static_cast<off_t>(request.length));
            break;
    }
    return outcome < 0 ? -errno : static_cast<int>(outcome);
}

}  // namespace

ThreadQueue::ThreadQueue(boost::asio::io_context& context, unsigned threads) : context_(context) {
    for (unsigned i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { work(); });
        ::pthread_setname_np(threads_.back().native_handle(), "tidemill/disk");
    }
}

ThreadQueue::~ThreadQueue() {
    TM_CHECK(in_flight_ == 0, "the disk is closed with {} operations in flight", in_flight_);
    *is_alive_ = false;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    has_work_.notify_all();
    for (auto& thread : threads_)
        thread.join();
}

std::string ThreadQueue::description() const {
    return fmt::format("{} threads with pwritev2", threads_.size());
}

void ThreadQueue::start(IoRequest& request) {
    ++in_flight_;
    collected_.push(request);
}

void ThreadQueue::submit() {
    if (collected_.is_empty()) return;
    {
        const std::lock_guard lock(mutex_);
        while (!collected_.is_empty())
            todo_.push(collected_.pop());
    }
    has_work_.notify_all();
}

std::size_t ThreadQueue::reap() {
    if (!has_ended_.load(std::memory_order_acquire)) return 0;
    IoRequestList ended;
    {
        const std::lock_guard lock(mutex_);
        ended = std::exchange(ended_, {});
        has_ended_.store(false, std::memory_order_relaxed);
    }
    std::size_t count = 0;
    while (!ended.is_empty()) {
        --in_flight_;
        ++count;
        ended.pop().waiter.resume();
    }
    return count;
}

void ThreadQueue::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        has_work_.wait(lock, [this] { return stopping_ || !todo_.is_empty(); });
        if (todo_.is_empty()) return;
        IoRequest& request = todo_.pop();
        lock.unlock();
        request.result = perform(request);
        lock.lock();
        ended_.push(request);
        if (has_ended_.exchange(true, std::memory_order_release)) continue;
        // One wake-up a batch. Under the lock, so that the destructor cannot overtake it.
        boost::asio::post(context_, [this, alive = is_alive_] {
            if (*alive) reap();
        });
    }
}

}  // namespace tidemill

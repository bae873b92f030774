#include "engine/io/uring_queue.h"

#include <atomic>
#include <cerrno>
#include <linux/falloc.h>
#include <sys/eventfd.h>

#include <boost/asio/buffer.hpp>

#include "engine/base/check.h"

namespace tidemill {
namespace {

constexpr unsigned kEntries = 256;
constexpr unsigned kReapBatch = 64;

}  // namespace

Result<std::unique_ptr<UringQueue>> UringQueue::make(boost::asio::io_context& context) {
    std::unique_ptr<UringQueue> queue(new UringQueue(context));
    TRY(queue->set_up());
    return queue;
}

Status UringQueue::set_up() {
    // Newer kernels can skip the interrupt that would tell a running thread of a completion; older
    // ones say EINVAL.
    const unsigned wishes[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, 0};
    int outcome = -EINVAL;
    for (const unsigned flags : wishes) {
        io_uring_params parameters{};
        parameters.flags = flags;
        outcome = io_uring_queue_init_params(kEntries, &ring_, &parameters);
        if (outcome == 0) {
            has_ring_ = true;
            limit_ = parameters.cq_entries;
        }
        if (outcome != -EINVAL) break;
    }
    if (outcome < 0) return fail(Errc::Unsupported, "io_uring is not available", -outcome);

    io_uring_probe* probe = io_uring_get_probe_ring(&ring_);
    const bool has_all = probe != nullptr && io_uring_opcode_supported(probe, IORING_OP_WRITE) &&
                         io_uring_opcode_supported(probe, IORING_OP_READ) &&
                         io_uring_opcode_supported(probe, IORING_OP_FSYNC) &&
                         io_uring_opcode_supported(probe, IORING_OP_FALLOCATE);
    if (probe != nullptr) io_uring_free_probe(probe);
    if (!has_all) return fail(Errc::Unsupported, "this kernel's io_uring lacks file operations");

    const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) return fail(Errc::Unsupported, "cannot make an eventfd", errno);
    event_.assign(event);
    outcome = io_uring_register_eventfd(&ring_, event);
    if (outcome < 0) return fail(Errc::Unsupported, "cannot register an eventfd", -outcome);
    watch();
    return {};
}

UringQueue::~UringQueue() {
    TM_CHECK(in_flight_ == 0, "the ring is closed with {} operations in flight", in_flight_);
    *is_alive_ = false;
    if (has_ring_) io_uring_queue_exit(&ring_);
}

void UringQueue::start(IoRequest& request) {
    ++in_flight_;
    if (!waiting_.is_empty() || !prepare(request)) waiting_.push(request);
}

bool UringQueue::prepare(IoRequest& request) {
    if (inside_ >= limit_) return false;
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) {
        submit();
        sqe = io_uring_get_sqe(&ring_);
        if (sqe == nullptr) return false;
    }
    const auto length = static_cast<unsigned>(request.length);
    switch (request.kind) {
        case IoRequest::Kind::Write:
            io_uring_prep_write(sqe, request.fd, request.data, length, request.offset);
            if (request.is_durable) sqe->rw_flags = RWF_DSYNC;
            break;
        case IoRequest::Kind::Read:
            io_uring_prep_read(sqe, request.fd, request.data, length, request.offset);
            break;
        case IoRequest::Kind::Sync:
            io_uring_prep_fsync(sqe, request.fd, IORING_FSYNC_DATASYNC);
            break;
        case IoRequest::Kind::SyncDirectory:
            io_uring_prep_fsync(sqe, request.fd, 0);
            break;
        case IoRequest::Kind::Punch:
            io_uring_prep_fallocate(sqe, request.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                    static_cast<__off_t>(request.offset),
                                    static_cast<__off_t>(request.length));
            break;
        case IoRequest::Kind::Grow:
            io_uring_prep_fallocate(sqe, request.fd, 0, static_cast<__off_t>(request.offset),
                                    static_cast<__off_t>(request.length));
            break;
    }
    io_uring_sqe_set_data(sqe, &request);
    ++prepared_;
    ++inside_;
    return true;
}

void UringQueue::submit() {
    while (prepared_ > 0) {
        const int outcome = io_uring_submit(&ring_);
        if (outcome == -EINTR) continue;
        // Short of memory or of room for completions: what is left goes with the next turn.
        if (outcome == -EAGAIN || outcome == -EBUSY) return;
        TM_CHECK(outcome >= 0, "io_uring_submit: errno {}", -outcome);
        if (outcome == 0) return;
        prepared_ -= static_cast<std::size_t>(outcome);
    }
}

std::size_t UringQueue::reap() {
    if (in_flight_ == 0) return 0;
    std::size_t reaped = 0;
    io_uring_cqe* batch[kReapBatch];
    while (const unsigned count = io_uring_peek_batch_cqe(&ring_, batch, kReapBatch)) {
        // The entries go back to the kernel before any waiter runs, since a waiter may do anything.
        IoRequestList ended;
        for (unsigned i = 0; i < count; ++i) {
            auto& request = *static_cast<IoRequest*>(io_uring_cqe_get_data(batch[i]));
            request.result = batch[i]->res;
            ended.push(request);
        }
        io_uring_cq_advance(&ring_, count);
        inside_ -= count;
        in_flight_ -= count;
        reaped += count;
        while (!ended.is_empty())
            ended.pop().waiter.resume();
        if (count < kReapBatch) break;
    }
    while (!waiting_.is_empty() && inside_ < limit_) {
        IoRequest& request = waiting_.front();
        if (!prepare(request)) break;
        waiting_.pop();
    }
    return reaped;
}

bool UringQueue::before_sleep() {
    if (in_flight_ == 0) return true;
    io_uring_cq_eventfd_toggle(&ring_, true);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return io_uring_cq_ready(&ring_) == 0 && prepared_ == 0;
}

void UringQueue::after_sleep() { io_uring_cq_eventfd_toggle(&ring_, false); }

void UringQueue::watch() {
    event_.async_read_some(
        boost::asio::buffer(&event_count_, sizeof event_count_),
        [this, alive = is_alive_](const boost::system::error_code& error, std::size_t) {
            if (error || !*alive) return;
            watch();
            reap();
        });
}

}  // namespace tidemill

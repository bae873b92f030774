#include "engine/io/make_disk.h"

#include "engine/io/posix_disk.h"
#include "engine/io/thread_queue.h"
#include "engine/io/uring_queue.h"

namespace tidemill {
namespace {

constexpr unsigned kDiskThreads = 2;

Result<std::unique_ptr<IoQueue>> make_queue(DiskKind kind, boost::asio::io_context& context) {
    if (kind != DiskKind::Threads) {
        auto ring = UringQueue::make(context);
        if (ring) return std::move(*ring);
        if (kind == DiskKind::Uring) return std::unexpected(std::move(ring).error());
    }
    return std::make_unique<ThreadQueue>(context, kDiskThreads);
}

}  // namespace

Result<std::unique_ptr<Disk>> make_disk(const std::string& root, DiskKind kind,
                                        boost::asio::io_context& context, bool direct) {
    ASSIGN(auto queue, make_queue(kind, context));
    ASSIGN(auto disk, PosixDisk::open_root(root, std::move(queue), direct));
    return disk;
}

}  // namespace tidemill

#include "engine/io/posix_file.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/io/buffer.h"
#include "engine/io/system_error.h"

namespace tidemill {
namespace {

/// Counts an operation for as long as its coroutine lives.
class InFlight {
 public:
    explicit InFlight(std::size_t& count) : count_(count) { ++count_; }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { --count_; }

 private:
    std::size_t& count_;
};

bool is_transient(int result) { return result == -EINTR || result == -EAGAIN; }

}  // namespace

PosixFile::~PosixFile() {
    TM_CHECK(in_flight_ == 0, "{} is closed with {} operations in flight", name_, in_flight_);
    ::close(fd_);
}

Task<void> PosixFile::run(IoRequest& request) {
    return request.waiter.wait([this, &request] { queue_.start(request); });
}

Task<Status> PosixFile::write(std::uint64_t offset, Bytes bytes, Persistence persistence) {
    check_alignment(offset, bytes.data(), bytes.size());
    InFlight counted(in_flight_);
    IoRequest request;
    request.kind = IoRequest::Kind::Write;
    bool needs_sync = persistence == Persistence::Durable && !can_write_durably_;
    request.is_durable = persistence == Persistence::Durable && can_write_durably_;
    request.fd = fd_;
    while (!bytes.empty()) {
        request.offset = offset;
        request.data = const_cast<std::byte*>(bytes.data());
        request.length = std::min(bytes.size(), IoRequest::kMaxLength);
        co_await run(request);
        if (is_transient(request.result)) continue;
        if (request.is_durable && request.result == -EOPNOTSUPP) {
            // This file system has no RWF_DSYNC: written first, then synced.
            can_write_durably_ = request.is_durable = false;
            needs_sync = true;
            continue;
        }
        if (request.result < 0) co_return system_failure(-request.result, at("write", offset));
        if (request.result == 0) co_return system_failure(EIO, at("write", offset));
        auto done = static_cast<std::size_t>(request.result);
        if (is_direct_ && done < bytes.size()) {
            // The rest must begin on a block again: the last, partial block is written once more.
            done = align_down(done, kDiskAlignment);
            if (done == 0) co_return system_failure(EIO, at("write", offset));
        }
        offset += done;
        bytes = bytes.subspan(done);
        size_ = std::max(size_, offset);
    }
    if (needs_sync) co_return co_await sync();
    co_return Status{};
}

Task<Result<std::size_t>> PosixFile::read(std::uint64_t offset, MutableBytes into) {
    check_alignment(offset, into.data(), into.size());
    InFlight counted(in_flight_);
    IoRequest request;
    request.kind = IoRequest::Kind::Read;
    request.fd = fd_;
    std::size_t total = 0;
    while (total < into.size()) {
        request.offset = offset + total;
        request.data = into.data() + total;
        request.length = std::min(into.size() - total, IoRequest::kMaxLength);
        co_await run(request);
        if (is_transient(request.result)) continue;
        if (request.result < 0) co_return system_failure(-request.result, at("read", offset));
        const auto done = static_cast<std::size_t>(request.result);
        total += done;
        // A direct read that is not whole blocks has met the end, and could not go on from there.
        if (done == 0 || (is_direct_ && done % kDiskAlignment != 0)) break;
    }
    co_return total;
}

Task<Status> PosixFile::sync() {
    InFlight counted(in_flight_);
    IoRequest request;
    request.kind = IoRequest::Kind::Sync;
    request.fd = fd_;
    co_await run(request);
    // Never again after a failure, not even after EINTR: the kernel may have dropped the dirty
    // mark.
    if (request.result < 0) co_return system_failure(-request.result, "sync " + name_);
    co_return Status{};
}

Task<Status> PosixFile::grow(std::uint64_t size) {
    if (size <= size_) co_return Status{};
    InFlight counted(in_flight_);
    IoRequest request;
    request.kind = IoRequest::Kind::Grow;
    request.fd = fd_;
    request.offset = size_;
    request.length = size - size_;
    do {
        co_await run(request);
    } while (is_transient(request.result));
    if (request.result == -EOPNOTSUPP || request.result == -ENOSYS)
        co_return co_await write_zeros(size_, size - size_);
    if (request.result < 0) co_return system_failure(-request.result, at("grow", size_));
    size_ = std::max(size_, size);
    co_return Status{};
}

Task<Status> PosixFile::punch(std::uint64_t offset, std::uint64_t length) {
    if (offset >= size_ || length == 0) co_return Status{};
    length = std::min(length, align_up(size_, kDiskAlignment) - offset);
    InFlight counted(in_flight_);
    IoRequest request;
    request.kind = IoRequest::Kind::Punch;
    request.fd = fd_;
    request.offset = offset;
    request.length = length;
    do {
        co_await run(request);
    } while (is_transient(request.result));
    if (request.result == -EOPNOTSUPP || request.result == -ENOSYS)
        co_return co_await write_zeros(offset, std::min(length, size_ - offset));
    if (request.result < 0) co_return system_failure(-request.result, at("punch", offset));
    co_return Status{};
}

Task<Status> PosixFile::write_zeros(std::uint64_t offset, std::uint64_t length) {
    const Buffer zeros = Buffer::allocate(64_KiB);
    std::ranges::fill(zeros.bytes(), std::byte{0});
    if (is_direct_) length = align_up(length, kDiskAlignment);
    while (length > 0) {
        const std::size_t part = std::min<std::uint64_t>(length, zeros.size());
        CO_TRY(co_await write(offset, zeros.bytes().first(part), Persistence::Cached));
        offset += part;
        length -= part;
    }
    co_return Status{};
}

void PosixFile::check_alignment(std::uint64_t offset, const void* address,
                                std::size_t length) const {
    if (!is_direct_) return;
    TM_CHECK(offset % kDiskAlignment == 0 && length % kDiskAlignment == 0 &&
                 reinterpret_cast<std::uintptr_t>(address) % kDiskAlignment == 0,
             "direct I/O on {} at {} of {} bytes from {} is not aligned", name_, offset, length,
             address);
}

std::string PosixFile::at(const char* verb, std::uint64_t offset) const {
    return fmt::format("{} {} at offset {}", verb, name_, offset);
}

}  // namespace tidemill

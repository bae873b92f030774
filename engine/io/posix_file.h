#pragma once

#include <string>

#include "engine/io/disk.h"
#include "engine/io/io_queue.h"

namespace tidemill {

/// A file of the operating system whose calls go through an IoQueue. Continues short transfers,
/// tracks the size, maps errno to errors that name the file.
class PosixFile final : public File {
 public:
    /// Ownership: takes `fd`; `queue` outlives the file.
    PosixFile(IoQueue& queue, int fd, std::string name, std::uint64_t size, bool is_direct)
        : queue_(queue), fd_(fd), name_(std::move(name)), size_(size), is_direct_(is_direct) {}
    PosixFile(const PosixFile&) = delete;
    PosixFile& operator=(const PosixFile&) = delete;
    ~PosixFile() override;

    Task<Status> write(std::uint64_t offset, Bytes bytes, Persistence persistence) override;
    Task<Result<std::size_t>> read(std::uint64_t offset, MutableBytes into) override;
    Task<Status> sync() override;
    Task<Status> grow(std::uint64_t size) override;
    Task<Status> punch(std::uint64_t offset, std::uint64_t length) override;
    std::uint64_t size() const override { return size_; }
    bool is_direct() const override { return is_direct_; }

 private:
    Task<void> run(IoRequest& request);
    Task<Status> write_zeros(std::uint64_t offset, std::uint64_t length);
    void check_alignment(std::uint64_t offset, const void* address, std::size_t length) const;
    std::string at(const char* verb, std::uint64_t offset) const;

    IoQueue& queue_;
    int fd_;
    std::string name_;
    std::uint64_t size_;
    bool is_direct_;
    bool can_write_durably_ = true;  // until the file system refuses RWF_DSYNC
    std::size_t in_flight_ = 0;
};

}  // namespace tidemill

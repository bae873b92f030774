#pragma once

#include <memory>
#include <string>

#include "engine/io/disk.h"
#include "engine/io/file_reaper.h"
#include "engine/io/io_queue.h"

namespace tidemill {

/// A directory of the operating system; file contents move through an IoQueue.
class PosixDisk final : public Disk {
 public:
    /// Tries with a file of its own whether the file system takes direct I/O.
    /// Errors: NotFound when `root` is no directory, IoFailed.
    static Result<std::unique_ptr<PosixDisk>> open_root(const std::string& root,
                                                        std::unique_ptr<IoQueue> queue,
                                                        bool direct = true);
    PosixDisk(const PosixDisk&) = delete;
    PosixDisk& operator=(const PosixDisk&) = delete;
    ~PosixDisk() override;

    Result<std::unique_ptr<File>> open(const std::string& name, OpenMode mode) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status remove(const std::string& name) override;
    Status make_directory(const std::string& name) override;
    Result<std::vector<std::string>> list(const std::string& directory) override;
    Task<Status> sync_directory(std::string directory) override;
    Result<std::uint64_t> free_bytes() override;
    bool is_giving_back() const override { return reaper_.is_busy(); }
    std::string description() const override;

    void submit() override { queue_->submit(); }
    std::size_t reap() override { return queue_->reap(); }
    bool before_sleep() override { return queue_->before_sleep(); }
    void after_sleep() override { queue_->after_sleep(); }
    std::size_t in_flight() const override { return queue_->in_flight(); }

 private:
    PosixDisk(int root_fd, std::unique_ptr<IoQueue> queue);
    bool try_direct();

    int root_fd_;
    std::unique_ptr<IoQueue> queue_;
    bool can_direct_ = false;
    FileReaper reaper_;
};

}  // namespace tidemill

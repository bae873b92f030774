#include "engine/io/posix_disk.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/io/buffer.h"
#include "engine/io/posix_file.h"
#include "engine/io/system_error.h"

namespace tidemill {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;
/// The blocks of a smaller file are given back in no time.
constexpr off_t kLargeFile = 1 << 20;

/// Names come from our own code, never from a client.
const char* checked(const std::string& name) {
    TM_CHECK(!name.starts_with('/') && name.find("..") == std::string::npos,
             "\"{}\" leaves the disk's root", name);
    return name.empty() ? "." : name.c_str();
}

int retry_open(int root, const char* name, int flags) {
    int fd = -1;
    do {
        fd = ::openat(root, name, flags | O_CLOEXEC, kFileMode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

}  // namespace

Result<std::unique_ptr<PosixDisk>> PosixDisk::open_root(const std::string& root,
                                                        std::unique_ptr<IoQueue> queue,
                                                        bool direct) {
    const int fd = retry_open(AT_FDCWD, root.c_str(), O_RDONLY | O_DIRECTORY);
    if (fd < 0) return system_failure(errno, "open the directory " + root);
    std::unique_ptr<PosixDisk> disk(new PosixDisk(fd, std::move(queue)));
    disk->can_direct_ = direct && disk->try_direct();
    return disk;
}

PosixDisk::PosixDisk(int root_fd, std::unique_ptr<IoQueue> queue)
    : root_fd_(root_fd), queue_(std::move(queue)) {}

PosixDisk::~PosixDisk() { ::close(root_fd_); }

bool PosixDisk::try_direct() {
    // Some file systems accept the flag and refuse the write, so a block is really written.
    static std::atomic<unsigned> number{0};
    const auto name = fmt::format(".direct-{}-{}", ::getpid(), number++);
    const int fd = retry_open(root_fd_, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_DIRECT);
    if (fd < 0) {
        ::unlinkat(root_fd_, name.c_str(), 0);  // made and then refused, on some file systems
        return false;
    }
    const Buffer block = Buffer::allocate(kDiskAlignment);
    std::ranges::fill(block.bytes(), std::byte{0});
    const bool written = ::pwrite(fd, block.data(), block.size(), 0) == kDiskAlignment;
    ::close(fd);
    ::unlinkat(root_fd_, name.c_str(), 0);
    return written;
}

Result<std::unique_ptr<File>> PosixDisk::open(const std::string& name, OpenMode mode) {
    int flags = mode.writable ? O_RDWR : O_RDONLY;
    if (mode.create) flags |= O_CREAT | (mode.exclusive ? O_EXCL : 0);
    const bool is_direct = mode.direct && can_direct_;
    if (is_direct) flags |= O_DIRECT;
    const int fd = retry_open(root_fd_, checked(name), flags);
    if (fd < 0) return system_failure(errno, "open " + name);
    struct stat status{};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        const int reason = S_ISDIR(status.st_mode) ? EISDIR : errno;
        ::close(fd);
        return system_failure(reason, "open " + name);
    }
    return std::make_unique<PosixFile>(*queue_, fd, name,
                                       static_cast<std::uint64_t>(status.st_size), is_direct);
}

Status PosixDisk::rename(const std::string& from, const std::string& to) {
    if (::renameat(root_fd_, checked(from), root_fd_, checked(to)) != 0)
        return system_failure(errno, "rename " + from + " to " + to);
    return {};
}

Status PosixDisk::remove(const std::string& name) {
    // As long as it is open the file keeps its blocks, and its name goes at once.
    int fd = retry_open(root_fd_, checked(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat status{};
    if (fd >= 0 && (::fstat(fd, &status) != 0 || status.st_size < kLargeFile))
        ::close(std::exchange(fd, -1));
    const int outcome = ::unlinkat(root_fd_, checked(name), 0);
    const int reason = errno;
    if (fd >= 0) reaper_.close_later(fd);
    if (outcome == 0) return {};
    errno = reason;
    if (errno == EISDIR && ::unlinkat(root_fd_, checked(name), AT_REMOVEDIR) == 0) return {};
    return system_failure(errno, "remove " + name);
}

Status PosixDisk::make_directory(const std::string& name) {
    checked(name);
    for (std::size_t end = 0; end != std::string::npos && !name.empty();) {
        end = name.find('/', end == 0 ? 0 : end + 1);
        const std::string part = name.substr(0, end);
        if (::mkdirat(root_fd_, part.c_str(), kDirectoryMode) != 0 && errno != EEXIST)
            return system_failure(errno, "make the directory " + part);
    }
    struct stat status{};
    if (::fstatat(root_fd_, checked(name), &status, 0) != 0 || !S_ISDIR(status.st_mode))
        return system_failure(ENOTDIR, "make the directory " + name);
    return {};
}

Result<std::vector<std::string>> PosixDisk::list(const std::string& directory) {
    const int fd = retry_open(root_fd_, checked(directory), O_RDONLY | O_DIRECTORY);
    if (fd < 0) return system_failure(errno, "list " + directory);
    DIR* stream = ::fdopendir(fd);
    if (stream == nullptr) {
        const int reason = errno;
        ::close(fd);
        return system_failure(reason, "list " + directory);
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) {
        struct stat status{};
        if (::fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode))
            names.emplace_back(entry->d_name);
    }
    ::closedir(stream);
    std::ranges::sort(names);
    return names;
}

Task<Status> PosixDisk::sync_directory(std::string directory) {
    const int fd = retry_open(root_fd_, checked(directory), O_RDONLY | O_DIRECTORY);
    if (fd < 0) co_return system_failure(errno, "sync the directory " + directory);
    IoRequest request;
    request.kind = IoRequest::Kind::SyncDirectory;
    request.fd = fd;
    co_await request.waiter.wait([this, &request] { queue_->start(request); });
    ::close(fd);
    if (request.result < 0)
        co_return system_failure(-request.result, "sync the directory " + directory);
    co_return Status{};
}

Result<std::uint64_t> PosixDisk::free_bytes() {
    struct statvfs status{};
    if (::fstatvfs(root_fd_, &status) != 0) return system_failure(errno, "ask for free space");
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

std::string PosixDisk::description() const {
    return queue_->description() + (can_direct_ ? ", O_DIRECT" : ", buffered");
}

}  // namespace tidemill

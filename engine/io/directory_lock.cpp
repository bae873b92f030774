#include "engine/io/directory_lock.h"

#include <cerrno>
#include <sys/file.h>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "engine/io/system_error.h"

namespace tidemill {

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

DirectoryLock::~DirectoryLock() {
    if (fd_ >= 0) ::close(fd_);
}

Result<DirectoryLock> DirectoryLock::take(const std::string& directory, Kind kind) {
    const std::string name = directory + "/lock";
    const bool is_broker = kind == Kind::Broker;
    DirectoryLock lock;
    lock.fd_ = is_broker ? ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)
                         : ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    // Nobody has ever served from here: nobody to keep out.
    if (lock.fd_ < 0 && !is_broker && errno == ENOENT) return lock;
    if (lock.fd_ < 0) return system_failure(errno, "open " + name);
    if (::flock(lock.fd_, (is_broker ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return system_failure(errno, "lock " + name);
        char owner[32] = {};
        const auto length = ::pread(lock.fd_, owner, sizeof owner - 1, 0);
        const std::string who = length > 0 ? fmt::format(" (process {})", owner) : std::string();
        return fail(Errc::ResourceInUse,
                    fmt::format("the data directory {} is in use{}: {}", directory, who,
                                is_broker ? "another broker serves from it, or a tool reads it"
                                          : "stop the broker first"));
    }
    if (is_broker) {
        const std::string mine = std::to_string(::getpid());
        // For messages only.
        if (::ftruncate(lock.fd_, 0) == 0) (void)!::pwrite(lock.fd_, mine.data(), mine.size(), 0);
    }
    return lock;
}

}  // namespace tidemill

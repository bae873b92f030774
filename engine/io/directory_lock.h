#pragma once

#include <string>

#include "engine/base/result.h"

namespace tidemill {

/// A hold on a data directory, by flock on the file `lock` in it: one broker, or any number of
/// tools that only look. Gone with the process, however it ends. Blocks: for start-up only.
class DirectoryLock {
 public:
    enum class Kind { Broker, Look };

    DirectoryLock() = default;
    DirectoryLock(DirectoryLock&& other) noexcept;
    DirectoryLock& operator=(DirectoryLock&& other) noexcept;
    ~DirectoryLock();

    /// Errors: ResourceInUse (says who has it); NotFound, IoFailed.
    static Result<DirectoryLock> take(const std::string& directory, Kind kind);

 private:
    int fd_ = -1;
};

}  // namespace tidemill

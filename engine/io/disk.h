#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/io/task.h"

namespace tidemill {

enum class Persistence : std::uint8_t {
    Cached,   ///< the write may be lost with power until `sync`
    Durable,  ///< the task ends only when the bytes are on stable storage
};

struct OpenMode {
    bool create = false;     ///< make it when missing
    bool exclusive = false;  ///< with create: fail with AlreadyExists when it exists
    bool writable = true;
    bool direct = true;  ///< bypass the page cache where the file system can (see File::is_direct)
};

/// One open file. Closed by its destructor; no operation may be in flight then.
/// Core: the one whose Disk opened it.
/// Limits: on a direct file offsets, sizes and addresses are multiples of kDiskAlignment
/// (engine/io/buffer.h).
class File {
 public:
    virtual ~File() = default;

    /// Writes all of `bytes` at `offset`. Several writes may be in flight; they may land in any
    /// order. Ownership: `bytes` stays alive and unchanged until the task ends. Suspends: yes.
    /// Durability: with Durable, on success the bytes survive power loss. After an error any part
    /// of the range may hold
    ///   old or new bytes, in units of 512, and a retry proves nothing.
    /// Errors: NoSpace, IoFailed.
    virtual Task<Status> write(std::uint64_t offset, Bytes bytes, Persistence persistence) = 0;

    /// Reads up to `into.size()` bytes; fewer only at the end of the file.
    /// Errors: IoFailed.
    virtual Task<Result<std::size_t>> read(std::uint64_t offset, MutableBytes into) = 0;

    /// Makes all completed writes and the file's size durable.
    virtual Task<Status> sync() = 0;

    /// Extends the file to `size` bytes that read as zeros and whose space is reserved: no later
    /// write below `size` meets a full disk. Durable with the next sync, and so is what is written
    /// there before it, whatever its persistence. The first write to a block
    /// may cost a change of the file's extents more than later ones. Errors: NoSpace, IoFailed.
    virtual Task<Status> grow(std::uint64_t size) = 0;

    /// Gives the range's blocks back to the file system where it can; the range then reads as
    /// zeros.
    virtual Task<Status> punch(std::uint64_t offset, std::uint64_t length) = 0;

    virtual std::uint64_t size() const = 0;  ///< as of opening, and of own writes
    virtual bool is_direct() const = 0;
};

/// SEAM: the door to storage. Implementations: io_uring, a pool of threads with pwritev2, a
/// simulated one that loses power, tears writes and fills up. All pass
/// tests/contract/disk_contract. Names are relative to the disk's root directory. Other
/// operations on directories are synchronous and rare.
class Disk {
 public:
    virtual ~Disk() = default;

    virtual Result<std::unique_ptr<File>> open(const std::string& name, OpenMode mode) = 0;
    /// Replaces `to`. Durable only after sync_directory of the folder.
    virtual Status rename(const std::string& from, const std::string& to) = 0;
    /// The name is gone at once; a large file's blocks come back a little later.
    virtual Status remove(const std::string& name) = 0;
    /// Whether blocks of removed files are still on their way back.
    virtual bool is_giving_back() const { return false; }
    /// Makes the folder and its parents; fine when it exists.
    virtual Status make_directory(const std::string& name) = 0;
    /// Plain file names in a folder, sorted.
    virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
    /// Makes creations, renames and removals in the folder durable.
    virtual Task<Status> sync_directory(std::string directory) = 0;
    virtual Result<std::uint64_t> free_bytes() = 0;
    /// What was chosen, for the log and /metrics: "io_uring, O_DIRECT".
    virtual std::string description() const = 0;

    // For the run loop that drives this disk; the owner of files never calls these.

    /// Hands the operations begun since the last call to the system: one call for all of a turn.
    virtual void submit() {}
    /// Resumes the tasks whose operations have ended; returns how many.
    virtual std::size_t reap() { return 0; }
    /// From here on an ended operation wakes the io_context. False when one has ended already: do
    /// not sleep.
    virtual bool before_sleep() { return true; }
    virtual void after_sleep() {}
    virtual std::size_t in_flight() const = 0;
};

}  // namespace tidemill

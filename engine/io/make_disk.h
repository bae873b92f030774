#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "engine/io/disk.h"

namespace tidemill {

enum class DiskKind : std::uint8_t {
    Auto,     ///< io_uring where the system allows it, else threads
    Uring,    ///< io_uring or an error
    Threads,  ///< a small pool of threads with pwritev2
};

/// Opens the directory `root` as a disk for one core. `description()` says what was chosen.
/// Core: call it on the thread that will use the disk; that thread's run loop calls submit and
/// reap. Ownership: `context` outlives the disk. Errors: NotFound when `root` is no directory,
/// IoFailed, Unsupported when Uring was asked for and is not to be had.
/// `direct`: false never bypasses the page cache.
Result<std::unique_ptr<Disk>> make_disk(const std::string& root, DiskKind kind,
                                        boost::asio::io_context& context, bool direct = true);

}  // namespace tidemill

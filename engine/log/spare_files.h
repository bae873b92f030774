#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "engine/io/disk.h"
#include "engine/log/log_config.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// A file that waits to become a segment. All of it reads as zeros, or it has been a segment
/// before.
struct SpareFile {
    std::string name;
    std::unique_ptr<File> file;
    std::uint64_t bytes = 0;    ///< reserved on disk
    std::uint64_t written = 0;  ///< up to here every block has been written once
};

/// Makes the files of a lane's segments ahead of need and takes those of retired ones back.
/// Core: the lane's.
class SpareFiles {
 public:
    /// Asked before a file grows by so many bytes. Errors: NoSpace.
    using Admit = std::function<Status(std::uint64_t)>;

    SpareFiles(Disk& disk, const LogConfig& config, std::string folder, Admit admit)
        : disk_(disk),
          config_(config),
          folder_(std::move(folder)),
          admit_(std::move(admit)),
          next_bytes_(config.first_segment_bytes) {}

    /// Forgets all; the next file gets a number above `last_file`, and grows on from `grown_bytes`.
    void start(std::uint64_t last_file, std::uint64_t grown_bytes);
    /// Makes sure that a file of at least `bytes` waits. Errors: NoSpace (also when the disk budget
    /// would be exceeded), IoFailed; a half-made file stays for the next attempt.
    Task<Status> prepare(std::uint64_t bytes);
    bool is_empty() const { return spares_.empty(); }
    /// The file to be used next. Limits: not when is_empty.
    SpareFile& next() { return spares_.back(); }
    SpareFile take();
    /// Takes a retired segment's file for use again, unless there are enough or it is too small:
    /// false then. Enough are LogConfig::spare_files; while the lane is busy as many as it has
    /// used up since the last tick but one, up to half of its segments and two.
    bool keep(SpareFile& file, std::size_t live_segments);
    /// A tick has passed.
    void note_tick() { taken_before_ = std::exchange(taken_, 0); }
    /// Removes files until those that wait have at most `bytes` in all, the largest first; returns
    /// how many. The next ones are small again when none is left. Nobody writes to them meanwhile.
    std::size_t drop(std::uint64_t bytes);
    /// A name for a new file.
    std::string new_name();
    /// How large the next file will be.
    std::uint64_t next_bytes() const { return next_bytes_; }

    std::uint64_t bytes() const;
    std::uint64_t count() const { return spares_.size() + (half_made_.name.empty() ? 0 : 1); }

 private:
    Task<Status> make(std::uint64_t bytes);

    Disk& disk_;
    const LogConfig& config_;
    std::string folder_;
    Admit admit_;
    std::deque<SpareFile> spares_;  // references stay good while others come and go
    SpareFile half_made_;
    std::uint64_t next_file_ = 1;
    std::uint64_t next_bytes_;
    std::uint64_t taken_ = 0, taken_before_ = 0;  // in this tick and in the last
    bool is_preparing_ = false;
    Signal prepared_;  // prepare has ended
};

}  // namespace tidemill

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/buffer.h"
#include "engine/io/disk.h"
#include "engine/log/segment_format.h"

namespace tidemill {

/// A stretch of a segment that was acknowledged and can no longer be trusted.
struct DamagedRange {
    std::uint64_t segment = 0;
    std::uint64_t position = 0, end_position = 0;  ///< in the segment file
    std::uint64_t commit = 0;                      ///< the first one damaged
    std::string what;                              ///< a sentence
};

/// A window on a file that moves forward: big aligned reads, contiguous views.
class FileWindow {
 public:
    explicit FileWindow(File& file, std::size_t read_bytes = 4_MiB)
        : file_(file), read_bytes_(read_bytes) {}
    /// The bytes [position, position + length), fewer at the end of the file. Valid until the next
    /// call. Suspends: when they are not in the window. Errors: IoFailed.
    Task<Result<Bytes>> at(std::uint64_t position, std::size_t length);
    std::uint64_t bytes_read() const { return bytes_read_; }

 private:
    File& file_;
    std::size_t read_bytes_;
    Buffer buffer_;
    std::uint64_t begin_ = 0;
    std::size_t filled_ = 0;
    std::uint64_t bytes_read_ = 0;
};

/// One commit whose header and directory are intact.
struct ScannedCommit {
    CommitHeader header{};
    std::uint64_t position = 0;
    Bytes bytes;                         ///< valid until the next call of the scanner
    std::vector<std::uint32_t> damaged;  ///< entries whose batch does not verify

    DirectoryEntry entry(std::size_t i) const { return directory_entry(bytes, header, i); }
    std::uint64_t end() const { return position + header.bytes; }
    /// When the last record of entry `i` arrived; of a control, and of a batch whose header is
    /// damaged, what the directory says.
    std::int64_t last_arrival_ms(std::size_t i) const;
};

/// Reads a segment's commits in order and decides where they end (docs/formats/commit.md, "What
/// counts as the end").
class SegmentScanner {
 public:
    /// `proven`: commits up to this number are known to have been acknowledged (from a later
    /// segment or the seal); 0 when nothing is known. `limit`: commits from this number on do not
    /// exist in this segment.
    SegmentScanner(File& file, const SegmentHeader& header, std::uint64_t proven,
                   std::uint64_t limit, std::size_t read_bytes = 4_MiB)
        : window_(file, read_bytes),
          file_(file),
          header_(header),
          origin_(origin_of(header)),
          proven_(proven),
          limit_(limit),
          next_number_(header.first_commit),
          previous_check_(header.previous_check),
          position_(header.first_position) {}

    /// The next commit; nothing at the end. What destroyed commits still tell comes in `salvaged`:
    /// batches found by their own headers, and the whole directory where one bit alone is wrong.
    /// Errors: IoFailed.
    Task<Result<std::optional<ScannedCommit>>> next();

    std::uint64_t next_number() const { return next_number_; }
    std::uint32_t last_check() const { return previous_check_; }
    std::uint64_t end_position() const { return position_; }
    bool is_torn() const {
        return is_torn_;
    }  ///< something unacknowledged was there and is dropped
    const std::vector<DamagedRange>& damage() const { return damage_; }
    const std::vector<DirectoryEntry>& salvaged() const { return salvaged_; }
    /// `salvaged` names everything that the destroyed commits held.
    bool is_all_salvaged() const { return is_all_salvaged_; }
    std::uint64_t bytes_read() const { return window_.bytes_read(); }

 private:
    struct Later {
        std::uint64_t position;
        CommitHeader header;
    };
    /// The commit at `position` when its header fits; `is_chained` also asks for number and
    /// previous check.
    Task<Result<std::optional<CommitHeader>>> header_at(std::uint64_t position, bool is_chained);
    bool follows(const CommitHeader& header) const;
    /// Searches from `position` for a later commit: the nearest one, and whether any proves
    /// `number` durable.
    Task<Result<std::optional<Later>>> find_later(std::uint64_t position, std::uint64_t number,
                                                  bool must_prove);
    Task<Status> salvage(std::uint64_t begin, std::uint64_t end);
    /// False when the directory of the commit at `position` cannot be told for sure.
    Task<Result<bool>> salvage_directory(std::uint64_t position);

    FileWindow window_;
    File& file_;
    SegmentHeader header_;
    CommitOrigin origin_;
    std::uint64_t proven_, limit_;
    std::uint64_t next_number_;
    std::uint32_t previous_check_;
    std::uint64_t position_;
    bool is_after_gap_ = false;  // the commit before was destroyed: its check cannot be asked for
    bool is_torn_ = false;
    bool is_all_salvaged_ = true;
    std::vector<DamagedRange> damage_;
    std::vector<DirectoryEntry> salvaged_;
};

}  // namespace tidemill

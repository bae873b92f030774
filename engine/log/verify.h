#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/disk.h"
#include "engine/log/log_config.h"
#include "engine/log/segment_scanner.h"

namespace tidemill {

/// What an offline look at one segment has found.
struct SegmentReport {
    SegmentHeader header{};
    std::string file;
    bool is_live = false;  ///< false: retired, its file waits for use
    bool is_sealed = false, is_footer_intact = false, is_packed = false;
    bool is_torn = false;  ///< an unacknowledged end is there
    std::uint64_t file_bytes = 0, end_position = 0;
    std::uint64_t commits = 0, batches = 0, records = 0, payload_bytes = 0;
    std::uint64_t last_commit = 0;
    std::int64_t first_arrival_ms = 0, last_arrival_ms = 0;
    std::vector<DamagedRange> damage;
};

struct LaneReport {
    LaneId lane;
    std::vector<SegmentReport> segments;  ///< by number
    std::vector<std::string>
        problems;  ///< sentences: damage, gaps between segments, shards out of order
    std::uint64_t shards = 0;
    std::uint64_t file_bytes = 0;  ///< of all its files, those that wait for use too
};

struct LogReport {
    std::uint64_t log_id = 0;
    std::vector<LaneReport> lanes;
    bool is_sound() const;
};

/// Called for each batch in log order, damaged ones too. `commit` is the whole commit.
using VisitBatch = std::function<void(const SegmentReport&, const ScannedCommit&,
                                      const DirectoryEntry&, bool is_intact)>;

/// Checks every commit and batch of a data directory that no process has open; changes nothing.
/// `visit` may be null. Errors: NotFound (no log there), Corrupt (no superblock), IoFailed.
/// `only`: one lane instead of all.
Task<Result<LogReport>> verify_log(Disk& disk, std::string directory, VisitBatch visit = nullptr,
                                   std::optional<LaneId> only = std::nullopt);

/// Whether a segment's index and table of ends match the checksums in its seal. Errors: IoFailed.
Task<Result<bool>> is_footer_intact(File& file, const SegmentSeal& seal);

/// For a terminal, one line a segment; ends with the problems.
std::string to_text(const LogReport& report);

}  // namespace tidemill

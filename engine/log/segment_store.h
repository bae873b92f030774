#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/io/disk.h"
#include "engine/log/log_config.h"
#include "engine/log/log_stats.h"
#include "engine/log/segment_index.h"
#include "engine/log/shard_table.h"
#include "engine/log/spare_files.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// One live segment.
struct Segment {
    SegmentHeader header{};
    SegmentSeal seal{};          ///< valid when is_sealed
    bool is_sealed = false;      ///< its seal is on disk
    std::string name;            ///< of its file
    std::unique_ptr<File> file;  ///< null while closed
    std::uint64_t file_bytes = 0;
    std::uint64_t end_position = 0;  ///< one past the last durable commit
    std::uint64_t written = 0;       ///< up to here every block has been written once
    std::unique_ptr<SegmentIndexBuilder>
        building;                           ///< while it is written and until its footer stands
    std::unique_ptr<SegmentFooter> footer;  ///< cached
    bool is_loading = false;
    std::uint64_t last_use = 0;
    std::uint32_t pins = 0;       ///< readers and tasks that need file or footer
    std::int64_t expires_ms = 0;  ///< when retention lets it go; recomputed when `policy` is behind
    std::uint64_t policy = 0;
};

/// Keeps a segment, its file and its footer in place for a reader.
class SegmentPin {
 public:
    explicit SegmentPin(Segment& segment) : segment_(&segment) { ++segment_->pins; }
    SegmentPin(SegmentPin&& other) noexcept : segment_(std::exchange(other.segment_, nullptr)) {}
    SegmentPin& operator=(SegmentPin&&) = delete;
    ~SegmentPin() {
        if (segment_ != nullptr) --segment_->pins;
    }
    Segment& operator*() const { return *segment_; }
    Segment* operator->() const { return segment_; }

 private:
    Segment* segment_;
};

/// The segment files of one lane: live ones in order, spare ones, and their making, sealing,
/// retiring and use again. Core: the lane's.
class SegmentStore {
 public:
    SegmentStore(Disk& disk, const LogConfig& config, std::string folder, std::uint64_t log_id,
                 LaneId lane, std::uint64_t seed, LogStats& stats);

    /// Reads every file's fixed blocks and sorts them into live segments and free files. Starts
    /// over when called again. Errors: IoFailed.
    Task<Status> load();

    std::deque<std::unique_ptr<Segment>>& live() { return live_; }
    Segment& newest() { return *live_.back(); }

    SpareFiles& spares() { return spares_; }
    /// Makes sure that a file of at least `bytes` waits. Errors: those of SpareFiles::prepare.
    Task<Status> prepare_spare(std::uint64_t bytes) { return spares_.prepare(bytes, live_bytes()); }
    /// Takes the spare into use as the newest segment; durable when it returns. Errors: those of
    /// the disk; then only load() tells what is there.
    Task<Result<Segment*>> begin_segment(std::uint64_t first_commit, std::uint32_t previous_check,
                                         std::uint64_t first_position, WallTime now);
    /// Writes footer and seal behind the segment's last commit. `give_back_rest`: the file will not
    /// be full, return its tail to the file system. Errors: those of the disk; the segment stays
    /// readable, without a footer on disk.
    Task<Status> seal_segment(Segment& segment, SealedState state, std::uint64_t last_commit,
                              std::uint32_t last_check, bool is_damaged, bool give_back_rest);
    /// Lets the oldest segment go. It has no pins and is not the newest.
    void retire_oldest();

    /// The footer of a segment that is not the newest, from memory, disk or a scan. The caller
    /// holds a pin. Errors: IoFailed, Corrupt.
    Task<Result<const SegmentFooter*>> footer(Segment& segment);
    /// The same from its place on disk or not at all. Errors: IoFailed, Corrupt.
    Task<Result<const SegmentFooter*>> read_stored_footer(Segment& segment);
    /// The seal's table of producers. Errors: IoFailed, Corrupt.
    Task<Result<std::vector<ProducedBatch>>> read_producers(Segment& segment);
    /// Opens the file where it was closed. Errors: IoFailed.
    Status open_file(Segment& segment);

    std::uint64_t bytes_on_disk() const { return live_bytes() + spares_.bytes(); }
    std::uint64_t spare_count() const { return spares_.count(); }

 private:
    std::uint64_t live_bytes() const;
    Task<Result<std::unique_ptr<SegmentFooter>>> read_footer(Segment& segment);
    Task<Result<std::unique_ptr<SegmentFooter>>> rebuild_footer(Segment& segment);
    void trim_footer_cache();
    std::string path(const std::string& name) const { return folder_ + "/" + name; }

    Disk& disk_;
    const LogConfig& config_;
    std::string folder_;
    std::uint64_t log_id_;
    LaneId lane_;
    Random random_;
    LogStats& stats_;
    std::deque<std::unique_ptr<Segment>> live_;
    SpareFiles spares_;
    std::uint64_t next_segment_ = 1;
    std::uint64_t uses_ = 0;
    Signal loaded_;  // some footer has been loaded
};

}  // namespace tidemill

#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/io/disk.h"
#include "engine/io/space_budget.h"
#include "engine/log/log_config.h"
#include "engine/log/log_stats.h"
#include "engine/log/segment_index.h"
#include "engine/log/shard_table.h"
#include "engine/log/spare_files.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// How long a sealed segment is owed to somebody, as of one look at it (engine/log/retention.h).
struct SegmentLife {
    std::uint64_t policy = 0;     ///< of that look; 0: never looked at
    std::int64_t dead_ms = 0;     ///< when nothing in it is owed any more
    std::int64_t rewrite_ms = 0;  ///< when little enough is live to be worth rewriting
    std::uint64_t live_bytes = 0;
    std::uint64_t pack_gain = 0;  ///< bytes that packing would save; 0: not worth it, or done
    bool is_unfit = false;  ///< damaged beyond what can be copied: only retired, never rewritten
    MonoTime shrunk_at{};   ///< when a bound on bytes last trimmed a shard up to a place in it
};

/// One live segment.
struct Segment {
    SegmentHeader header{};
    SegmentSeal seal{};          ///< valid when is_sealed
    bool is_sealed = false;      ///< its seal is on disk
    bool is_packed = false;      ///< its seal is to say that its small batches have been packed
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
    std::uint32_t pins = 0;   ///< readers and tasks that need file or footer
    bool is_cleared = false;  ///< it has left, and its file no longer says that it is this segment
    SegmentLife life;
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
    SegmentStore(Disk& disk, const LogConfig& config, SpaceBudget& space, std::string folder,
                 std::uint64_t log_id, LaneId lane, std::uint64_t seed, LogStats& stats);
    ~SegmentStore();

    /// Reads every file's fixed blocks and sorts them into live segments and free files. Starts
    /// over when called again. Errors: IoFailed.
    Task<Status> load();

    std::deque<std::unique_ptr<Segment>>& live() { return live_; }
    Segment& newest() { return *live_.back(); }
    /// The live segment of that number; null when there is none.
    Segment* find(std::uint64_t number);
    /// Readers or tasks hold on to some segment.
    bool has_pins() const;

    SpareFiles& spares() { return spares_; }
    /// Makes sure that a file of at least `bytes` waits. Errors: those of SpareFiles::prepare.
    Task<Status> prepare_spare(std::uint64_t bytes);
    /// Takes the spare into use as the newest segment; durable when it returns. Errors: those of
    /// the disk; then only load() tells what is there.
    Task<Result<Segment*>> begin_segment(std::uint64_t first_commit, std::uint32_t previous_check,
                                         std::uint64_t first_position, WallTime now);
    /// Writes footer and seal behind the segment's last commit. `give_back_rest`: the file will not
    /// be full, return its tail to the file system. Errors: those of the disk; the segment stays
    /// readable, without a footer on disk.
    Task<Status> seal_segment(Segment& segment, SealedState state, std::uint64_t last_commit,
                              std::uint32_t last_check, bool is_damaged, bool give_back_rest);
    /// Lets the oldest segment go, which is not the newest. `free_left` frees its file.
    void retire_oldest();

    /// Makes room for a rewritten form of `source`, of about `bytes`: a file of its own with a
    /// header that is not on disk yet. Errors: NoSpace (the reserve of the budget included),
    /// IoFailed.
    Result<std::unique_ptr<Segment>> begin_rewritten(const Segment& source, std::uint64_t bytes);
    /// Makes the rewritten form count: with its header on disk it takes its predecessor's place.
    /// Everything else of it is durable. Errors: those of the disk; then only load() tells which of
    /// the two counts.
    Task<Status> finish_rewritten(std::unique_ptr<Segment> rewritten);
    /// Removes a rewritten form that does not count.
    void abandon_rewritten(std::unique_ptr<Segment> rewritten);
    /// Clears the headers of segments that have left, in their order, so that no start takes them
    /// for live ones, and frees those files that nobody has a pin on. Durable when it returns.
    Task<void> free_left();
    bool has_left() const { return !left_.empty() || disk_.is_giving_back(); }
    /// Removes spare files beyond `bytes` in all, the largest first.
    void drop_spares(std::uint64_t bytes);

    /// The footer of a segment that is not the newest, from memory, disk or a scan. The caller
    /// holds a pin. Errors: IoFailed, Corrupt.
    Task<Result<const SegmentFooter*>> footer(Segment& segment);
    /// The same from its place on disk or not at all. Errors: IoFailed, Corrupt.
    Task<Result<const SegmentFooter*>> read_stored_footer(Segment& segment);
    /// The seal's table of producers. Errors: IoFailed, Corrupt.
    Task<Result<std::vector<ProducedBatch>>> read_producers(Segment& segment);
    /// Opens the file where it was closed. Errors: IoFailed.
    Status open_file(Segment& segment);

    std::uint64_t bytes_on_disk() const;
    const SpaceBudget& space() const { return space_; }
    /// Whether a new segment of the usual size would be admitted now.
    bool has_room_for_producers();
    std::uint64_t spare_count() const { return spares_.count(); }

 private:
    /// Of several files with one number keeps the one that counts.
    Task<Status> choose_generations(std::vector<std::unique_ptr<Segment>>& found);
    /// Makes the file of a segment that has left claim nothing any more, durably.
    Task<Status> clear(Segment& segment);
    Status admit(std::uint64_t bytes, SpaceUse use);
    void settle_space();
    void free_file(std::unique_ptr<Segment> segment);
    Task<Result<std::unique_ptr<SegmentFooter>>> read_footer(Segment& segment);
    Task<Result<std::unique_ptr<SegmentFooter>>> rebuild_footer(Segment& segment);
    void trim_footer_cache();
    std::string path(const std::string& name) const { return folder_ + "/" + name; }

    Disk& disk_;
    const LogConfig& config_;
    SpaceBudget& space_;
    std::uint64_t charged_ = 0;  // to space_
    std::string folder_;
    std::uint64_t log_id_;
    LaneId lane_;
    Random random_;
    LogStats& stats_;
    std::deque<std::unique_ptr<Segment>> live_;
    std::vector<std::unique_ptr<Segment>> left_;  // retired or replaced, and still pinned
    bool is_freeing_ = false;
    std::uint64_t rewriting_bytes_ = 0;  // of the rewritten form that does not count yet
    SpareFiles spares_;
    std::uint64_t next_segment_ = 1;
    std::uint64_t uses_ = 0;
    Signal loaded_;  // some footer has been loaded
};

}  // namespace tidemill

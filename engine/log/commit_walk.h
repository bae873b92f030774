#pragma once

#include <optional>
#include <vector>

#include "engine/log/chunk_cache.h"

namespace tidemill {

/// Walks the commits of one segment that may hold batches of one shard, in order, reading headers
/// and directories only. The footer of a segment that is no longer written is loaded, and the
/// caller holds a pin. Core: the lane's.
class CommitWalk {
 public:
    CommitWalk(ChunkCache& chunks, Segment& segment, ShardUid shard)
        : chunks_(chunks), segment_(segment), shard_(shard) {}

    /// Starts where the index says a batch with `ordinal` is; false when the segment has none of
    /// the shard.
    bool start_at(Ordinal ordinal);
    /// Starts at or before the first batch that arrived at or after `arrival_ms`.
    bool start_at_time(std::int64_t arrival_ms);

    /// Starts at the segment's first commit and enters every one, whatever the index says: so that
    /// no damage before the shard's first batch is passed over unseen.
    void start_at_first_commit();

    struct Batch {
        std::uint64_t position;  ///< in the file
        std::int64_t arrival_ms;
        DirectoryEntry entry;
    };
    /// The shard's next batch; nothing at the end. Passes over damaged commits, and says so in
    /// `damage`. Errors: IoFailed.
    Task<Result<std::optional<Batch>>> next();
    /// The record with which the walk began, by the index.
    Ordinal first_ordinal() const { return first_ordinal_; }
    /// What was passed over since the start, as a sentence; empty when nothing was.
    const std::string& damage() const { return damage_; }

 private:
    bool start(const std::optional<SegmentIndexEntry>& entry);
    const std::vector<SegmentIndexEntry>& index() const;
    /// Loads the directory of the commit at position_ or, unless that is exact, a skip further.
    Task<Result<bool>> enter_commit();
    Task<Result<bool>> search_on();
    void go_past(const CommitHeader& header);

    ChunkCache& chunks_;
    Segment& segment_;
    ShardUid shard_;
    Ordinal first_ordinal_ = 0;
    std::uint64_t position_ = 0;
    std::uint64_t commit_at_ = 0;
    bool enters_all_ = false;      // commits, not only those that the index names
    bool may_be_skipped_ = false;  // the next commit may begin one block further
    CommitHeader header_{};
    std::vector<DirectoryEntry> entries_;  // of the shard, in the present commit
    std::size_t next_entry_ = 0;
    std::string damage_;
};

}  // namespace tidemill

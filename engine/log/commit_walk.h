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
    /// Where the last commit stands that was passed over.
    std::optional<std::uint64_t> damaged_at() const { return damaged_at_; }

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
    bool may_be_skipped_ = false;                  // the next commit may begin one block further
    std::optional<std::uint32_t> previous_check_;  // that it must name; none after a jump
    CommitHeader header_{};
    std::vector<DirectoryEntry> entries_;  // of the shard, in the present commit
    std::size_t next_entry_ = 0;
    std::string damage_;
    std::optional<std::uint64_t> damaged_at_;
};

}  // namespace tidemill

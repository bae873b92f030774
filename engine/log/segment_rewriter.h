#pragma once

#include <map>
#include <optional>

#include "engine/log/commit_writer.h"
#include "engine/log/lane_parts.h"
#include "engine/log/segment_scanner.h"

namespace tidemill {

/// Writes a sealed segment anew without what is owed to nobody, and with its small batches packed
/// when LogConfig::packs says so. Format and proof: docs/formats/segment.md, "Rewritten segments".
/// Core: the lane's.
class SegmentRewriter {
 public:
    /// `is_interrupted` is asked between steps and ends the rewriting.
    SegmentRewriter(LaneParts& parts, CommitWriter& writer, const bool& is_interrupted)
        : parts_(parts), writer_(writer), is_interrupted_(is_interrupted) {}

    /// Rewrites live segment `number`, which is sealed and not the writer's, and lets its
    /// predecessor's file go. `bytes`: about what remains.
    /// Suspends: for as long as LogConfig::rewrite_bytes_per_second asks for.
    /// Durability: before anything is dropped, trims that say so are committed.
    /// Errors: NoSpace, IoFailed, Unavailable (interrupted), Corrupt (a commit of it is destroyed,
    /// so that its batches cannot be told apart); the segment then stands as it was.
    Task<Status> rewrite(std::uint64_t number, std::uint64_t bytes);

 private:
    struct Dropped {
        Ordinal end = 0;              ///< one past the last dropped record
        std::int64_t arrival_ms = 0;  ///< of that record
        std::uint32_t epoch = 0;
        bool is_last = false;  ///< nothing behind it was kept
    };
    struct Target;

    Task<Status> copy(Segment& source, Target& target);
    Task<Status> take_commit(const ScannedCommit& commit, Target& target);
    bool is_owed(const DirectoryEntry& entry, std::int64_t arrival_ms);
    std::optional<RecordBatchView> owed_part(const RecordBatchView& batch, Target& target);
    Task<Status> close_commit(Target& target);
    Task<Status> pack(Target& target);
    Task<Status> write_out(Target& target, bool is_all);
    Task<Status> keep_pace(std::uint64_t bytes);

    LaneParts& parts_;
    CommitWriter& writer_;
    const bool& is_interrupted_;
    MonoTime pace_{};
};

}  // namespace tidemill

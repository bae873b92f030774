#pragma once

#include "engine/io/buffer.h"
#include "engine/log/lane_parts.h"

namespace tidemill {

/// Writes zeros in front of the log while its commits are small. Overwriting a block that has been
/// written once costs one device write; the first write to a reserved block costs a change of the
/// file's extents and a journal commit as well, twice the latency of a small commit. Large commits
/// spread that cost and outrun the zeros, which would only take bandwidth from them
/// (docs/decisions/0004-reserved-segments.md). Core: the lane's.
class ZeroAhead {
 public:
    /// `wake` is asked for a turn end when a step has ended.
    ZeroAhead(LaneParts& parts, TurnHook& wake) : parts_(parts), wake_(wake) {}

    /// A commit of so many bytes was written.
    void note_commit(std::size_t bytes) {
        average_ += (static_cast<double>(bytes) - average_) / 16;
    }
    /// Begins the next step if one is useful: in `segment` behind `end_position` (and what waits to
    /// be written there), else in the file that comes after it. `segment` may be null.
    void go_on(Segment* segment, std::uint64_t end_position, std::size_t waiting_bytes);

    bool is_busy() const { return is_busy_; }
    /// True while zeros are on their way to a place below `end` of `segment`.
    bool is_in_the_way(const Segment& segment, std::uint64_t end) const {
        return is_busy_ && file_ == segment.file.get() && end > from_;
    }

 private:
    /// `written` is the file's mark and stays in place until the step has ended.
    void begin(File& file, std::uint64_t& written, std::uint64_t end);
    Task<void> step(File& file, std::uint64_t& written, std::size_t bytes);

    LaneParts& parts_;
    TurnHook& wake_;
    Buffer zeros_;
    double average_ = 0;  // of the last commits' bytes
    bool is_busy_ = false;
    File* file_ = nullptr;
    std::uint64_t from_ = 0;
};

}  // namespace tidemill

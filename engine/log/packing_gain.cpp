#include "engine/log/packing_gain.h"

#include <algorithm>

#include "proto/batch_packer.h"

namespace tidemill {
namespace {

constexpr std::uint64_t kEntryBytes = sizeof(DirectoryEntry);
constexpr std::uint64_t kBatchBytes = sizeof(RecordBatchHeader) + kEntryBytes;
/// A commit from this size on may leave a gap of up to a block behind it (docs/formats/commit.md).
constexpr std::uint64_t kGapBehindBytes = 48_KiB;
/// What a record's arrival takes in a packed batch, as a rule.
constexpr std::uint64_t kArrivalBytes = 2;

}  // namespace

std::uint64_t packing_gain(const Segment& segment, const SegmentFooter& footer) {
    const auto& seal = segment.seal;
    if ((seal.flags & (kSealPacked | kSealDamaged)) != 0) return 0;
    const std::uint64_t used = seal.end_position - segment.header.first_position;
    std::uint64_t batch_bytes = 0, needed = 0;
    const std::uint64_t windows = used / kPackedCommitBytes + 1;
    for (const auto& end : footer.ends) {
        const std::uint64_t bytes = std::uint64_t{end.bytes8} * 8;
        batch_bytes += bytes;
        if (bytes > 0) needed += (bytes / kPackedBytesMax + windows) * kBatchBytes;
    }
    // Numbers of rewritten commits are sparse: that there are so many is then too many.
    const std::uint64_t commits = seal.last_commit + 1 - segment.header.first_commit;
    if (commits == 0 || batch_bytes == 0 || used < batch_bytes) return 0;
    std::uint64_t between = used - batch_bytes;
    if (used / commits >= kGapBehindBytes) between -= std::min(between, commits * kBlockBytes);
    const std::uint64_t headers = std::min(between, commits * sizeof(CommitHeader));
    const std::uint64_t batches = std::min((between - headers) / kEntryBytes, seal.record_count);
    // Longer batches stay as they are.
    if (batches == 0 || batch_bytes / batches > kPackBelowBytes) return 0;
    const std::uint64_t saved = headers + batches * kBatchBytes;
    needed += windows * sizeof(CommitHeader) + seal.record_count * kArrivalBytes;
    return saved > needed ? saved - needed : 0;
}

}  // namespace tidemill

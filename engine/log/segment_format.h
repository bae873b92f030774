#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/log/commit_format.h"

namespace tidemill {

/// The fixed blocks of a data directory. Format: docs/formats/segment.md.
/// Each stands twice in its 4 KiB block, at 0 and at 2048, so that one damaged sector does not lose
/// it.

/// File `log/superblock`: made once, never changed.
struct Superblock {
    std::uint32_t magic;  ///< kSuperblockMagic
    std::uint16_t version;
    std::uint16_t flags;
    std::uint64_t log_id;  ///< random; every commit and segment carries it
    std::uint32_t lane_count;
    std::uint32_t reserved;
    std::int64_t created_ms;
    std::uint32_t reserved2;
    std::uint32_t crc;
};
static_assert(sizeof(Superblock) == 40);

/// Block 0 of a segment file: which use the file is in. A file whose header does not fit is free.
struct SegmentHeader {
    std::uint32_t magic;  ///< kSegmentMagic
    std::uint16_t version;
    std::uint16_t flags;
    std::uint64_t log_id;
    std::uint64_t salt;    ///< random, new for every use of the file
    std::uint64_t number;  ///< dense within the lane, from 1
    std::uint64_t
        first_commit;  ///< this segment's commits begin with it; the segment before ends before it
    std::uint64_t oldest_segment;  ///< segments before it are retired
    std::uint64_t first_position;  ///< of commit first_commit
    std::int64_t created_ms;
    std::uint32_t lane;
    std::uint32_t previous_check;  ///< header_crc of commit first_commit-1
    /// How often this segment has been rewritten; of two files with one number the greater counts.
    std::uint32_t generation;
    std::uint32_t crc;

    bool is_rewritten() const { return generation != 0; }
};
static_assert(sizeof(SegmentHeader) == 80);

/// Block 1 of a segment file: written when nothing more will be written to it.
struct SegmentSeal {
    std::uint32_t magic;  ///< kSealMagic
    std::uint16_t version;
    std::uint16_t flags;  ///< SealFlag
    std::uint64_t log_id;
    std::uint64_t salt;
    std::uint64_t number;
    std::uint64_t last_commit;   ///< first_commit-1 when it holds none
    std::uint64_t end_position;  ///< one past the last commit
    std::uint64_t record_count;
    std::int64_t last_arrival_ms;
    std::uint64_t index_position;
    std::uint64_t index_count;  ///< SegmentIndexEntry, sorted by shard, then position
    std::uint64_t ends_position;
    std::uint64_t ends_count;  ///< ShardEndEntry, sorted by shard
    std::uint64_t producers_position;
    std::uint64_t producers_count;  ///< ProducedBatch, longest idle producer first
    std::uint32_t index_crc;
    std::uint32_t ends_crc;
    std::uint32_t producers_crc;
    std::uint32_t last_check;  ///< header_crc of last_commit
    std::uint32_t reserved;
    std::uint32_t crc;
};
static_assert(sizeof(SegmentSeal) == 136);
enum SealFlag : std::uint16_t { kSealPunched = 1, kSealDamaged = 2, kSealPacked = 4 };

/// Where a shard's batches lie: the first commit with one of them in each 64 KiB stride of the
/// segment.
struct SegmentIndexEntry {
    std::uint32_t shard;
    std::uint32_t position8;  ///< of the commit, in units of 8 bytes
    std::uint64_t first_ordinal;
    std::int64_t arrival_ms;     ///< of that batch
    std::uint32_t batch_offset;  ///< of that batch from the commit's first byte
    std::uint32_t batch_bytes;
};
static_assert(sizeof(SegmentIndexEntry) == 32);
constexpr std::uint64_t kIndexStride = 64_KiB;

/// The state of a shard's end when the segment was sealed; of all shards of the lane that ever held
/// anything and are not deleted.
struct ShardEndEntry {
    std::uint32_t shard;
    std::uint32_t epoch;
    std::uint64_t end;
    std::uint64_t trim;
    std::int64_t last_arrival_ms;
    std::uint32_t flags;   ///< ShardEndFlag
    std::uint32_t bytes8;  ///< of its batches in this segment with their padding, in units of 8
};
static_assert(sizeof(ShardEndEntry) == 40);
enum ShardEndFlag : std::uint32_t {
    kShardSealed = 1,
    kShardGone = 2,  ///< its stream was deleted; listed only where bytes of it remain
};

/// A batch of an idempotent producer (docs/formats/record_batch.md, "Idempotence"): what its
/// repetition is recognised by and answered with. The last few of each producer and shard.
struct ProducedBatch {
    std::uint64_t producer_id;  ///< never 0
    std::uint64_t first_ordinal;
    std::int64_t arrival_ms;
    std::uint32_t shard;
    std::uint32_t first_sequence;
    std::uint32_t record_count;
    std::uint32_t payload_crc;  ///< 0 of a sealed batch, whose bytes differ each time

    std::uint32_t next_sequence() const { return first_sequence + record_count; }
};
static_assert(sizeof(ProducedBatch) == 40);

constexpr std::uint32_t kSuperblockMagic = 0x304d4454;  // "TDM0"
constexpr std::uint32_t kSegmentMagic = 0x31534d54;     // "TMS1"
constexpr std::uint32_t kSealMagic = 0x31464d54;        // "TMF1"
constexpr std::uint16_t kSegmentVersion = 1;
constexpr std::uint16_t kSealVersion = 2;  ///< 1 had no producers; it counts as absent
constexpr std::uint64_t kBlockBytes = 4096;
/// Commits grow to this when a segment is packed: what one packed batch is gathered from.
constexpr std::size_t kPackedCommitBytes = 2_MiB;
constexpr std::uint64_t kSegmentDataStart = 2 * kBlockBytes;

/// Fills `block` (4 KiB) with two copies of `value`, its crc computed.
template <class T>
void write_block(MutableBytes block, T value);
/// The first intact copy in `block`; nothing when neither is.
template <class T>
std::optional<T> read_block(Bytes block);

inline CommitOrigin origin_of(const SegmentHeader& header) {
    return {header.log_id, header.salt, header.lane};
}

}  // namespace tidemill

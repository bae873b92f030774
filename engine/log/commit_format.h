#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "proto/wire_limits.h"

namespace tidemill {

/// What one write to the log carries. Format and proofs: docs/formats/commit.md.
///   header | batches in order of arrival, each at a multiple of 8 | directory
struct CommitHeader {
    std::uint32_t magic;    ///< kCommitMagic
    std::uint16_t version;  ///< kCommitVersion
    std::uint16_t flags;    ///< 0
    std::uint64_t log_id;
    std::uint64_t salt;       ///< of the segment's present use
    std::uint64_t number;     ///< dense within the lane, from 1
    std::uint64_t durable;    ///< every commit up to this one was durable when this one was sealed
    std::int64_t arrival_ms;  ///< the earliest arrival inside
    std::uint32_t lane;
    std::uint32_t previous_check;    ///< header_crc of commit number-1, 0 for the first
    std::uint32_t bytes;             ///< header to the end of the directory, a multiple of 8
    std::uint32_t directory_offset;  ///< from the header's first byte
    std::uint32_t directory_count;
    std::uint32_t directory_crc;
    std::uint32_t reserved;    ///< 0
    std::uint32_t header_crc;  ///< CRC32C of the bytes before it
};
static_assert(sizeof(CommitHeader) == 80);

/// One batch of the commit, or one control (count == 0). Sorted by shard, then by order of arrival.
struct DirectoryEntry {
    std::uint32_t shard;
    std::uint32_t offset;         ///< of the batch from the commit header's first byte; control: 0
    std::uint32_t bytes;          ///< of the batch, without padding; control: a Control
    std::uint32_t count;          ///< records; 0: control
    std::uint64_t first_ordinal;  ///< control: its value
    std::uint32_t check;          ///< the batch's header_crc, which covers its payload_crc
    std::uint32_t arrival_delta;  ///< milliseconds after the commit's arrival_ms

    bool is_control() const { return count == 0; }
};
static_assert(sizeof(DirectoryEntry) == 32);

enum class Control : std::uint32_t {
    Seal = 1,  ///< the shard's end is closed for ever; value: its end
    Trim = 2,  ///< records before value will not be read again
    /// In rewritten segments: the shard had come to this end; the records before it are dropped.
    /// `check` holds the epoch.
    End = 3,
};

constexpr std::uint32_t kCommitMagic = 0x31434d54;  // "TMC1"
constexpr std::uint16_t kCommitVersion = 1;
constexpr std::size_t kCommitAlignment = 8;
/// No commit is longer: one batch of the largest size with header, directory and slack.
constexpr std::size_t kCommitBytesMax = 16_MiB;
static_assert(kCommitBytesMax >= wire_limits::kStoredBatchBytesMax + sizeof(CommitHeader) + 4096);

/// Which log, lane and use of a segment a commit must belong to.
struct CommitOrigin {
    std::uint64_t log_id = 0;
    std::uint64_t salt = 0;
    std::uint32_t lane = 0;
};

/// The header at the start of `bytes` when its checksum, origin and lengths fit; nothing otherwise.
std::optional<CommitHeader> parse_commit_header(Bytes bytes, const CommitOrigin& origin);

/// Computes header_crc and writes the header to `to`.
void write_commit_header(std::byte* to, CommitHeader& header);

inline DirectoryEntry directory_entry(Bytes commit, const CommitHeader& header, std::size_t index) {
    return load_le<DirectoryEntry>(commit.data() + header.directory_offset +
                                   index * sizeof(DirectoryEntry));
}

/// Checks the directory's checksum and that every entry lies inside the commit and in order.
/// `commit` holds the whole commit. Errors: Corrupt.
Status check_directory(Bytes commit, const CommitHeader& header);

/// Checks one batch against its directory entry, header and payload. Errors: Corrupt (names shard
/// and ordinal).
Status check_batch(Bytes commit, const DirectoryEntry& entry);

/// Where the commit after one that ends at `end` may begin: first, and, when the block was left
/// partial, second.
constexpr std::uint64_t kSkippedBytes = 4096;

}  // namespace tidemill

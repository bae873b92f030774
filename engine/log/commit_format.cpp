#include "engine/log/commit_format.h"

#include <cstddef>

#include <fmt/format.h>

#include "engine/base/crc32c.h"
#include "proto/record_batch.h"

namespace tidemill {
namespace {

constexpr std::size_t kCrcAt = offsetof(CommitHeader, header_crc);

}  // namespace

std::optional<CommitHeader> parse_commit_header(Bytes bytes, const CommitOrigin& origin) {
    if (bytes.size() < sizeof(CommitHeader)) return std::nullopt;
    const auto header = load_le<CommitHeader>(bytes.data());
    if (header.magic != kCommitMagic || header.log_id != origin.log_id ||
        header.salt != origin.salt || header.lane != origin.lane)
        return std::nullopt;
    if (crc32c(bytes.first(kCrcAt)) != header.header_crc) return std::nullopt;
    // A checksum that fits does not excuse a length that does not: bad memory could have made both.
    const std::uint64_t directory_end =
        header.directory_offset + std::uint64_t{header.directory_count} * sizeof(DirectoryEntry);
    if (header.version != kCommitVersion || header.bytes > kCommitBytesMax ||
        header.bytes % kCommitAlignment != 0 || header.directory_offset < sizeof(CommitHeader) ||
        header.directory_offset % kCommitAlignment != 0 || directory_end != header.bytes ||
        header.durable >= header.number)
        return std::nullopt;
    return header;
}

void write_commit_header(std::byte* to, CommitHeader& header) {
    store_le(to, header);
    header.header_crc = crc32c(Bytes{to, kCrcAt});
    store_le(to + kCrcAt, header.header_crc);
}

Status check_directory(Bytes commit, const CommitHeader& header) {
    if (commit.size() < header.bytes)
        return fail(Errc::Corrupt, fmt::format("commit {} is cut short", header.number));
    const Bytes directory =
        commit.subspan(header.directory_offset, header.directory_count * sizeof(DirectoryEntry));
    if (crc32c(directory) != header.directory_crc)
        return fail(
            Errc::Corrupt,
            fmt::format("the directory of commit {} does not match its checksum", header.number));
    std::uint32_t shard = 0;
    for (std::size_t i = 0; i < header.directory_count; ++i) {
        const auto entry = directory_entry(commit, header, i);
        const bool fits =
            entry.is_control() ||
            (entry.offset >= sizeof(CommitHeader) && entry.offset % kCommitAlignment == 0 &&
             entry.bytes >= sizeof(RecordBatchHeader) &&
             std::uint64_t{entry.offset} + entry.bytes <= header.directory_offset);
        if (!fits || entry.shard < shard)
            return fail(Errc::Corrupt,
                        fmt::format("entry {} of the directory of commit {} does not fit", i,
                                    header.number));
        shard = entry.shard;
    }
    return {};
}

Status check_batch(Bytes commit, const DirectoryEntry& entry) {
    const Bytes bytes = commit.subspan(entry.offset, entry.bytes);
    const auto batch = RecordBatchView::parse_stamped(bytes);
    if (batch && batch->header().header_crc == entry.check &&
        batch->header().shard == entry.shard && batch->first_ordinal() == entry.first_ordinal &&
        batch->record_count() == entry.count && batch->bytes().size() == entry.bytes &&
        batch->payload_is_intact())
        return {};
    return fail(
        Errc::Corrupt,
        fmt::format("records {} to {} of shard {} do not match their checksum", entry.first_ordinal,
                    entry.first_ordinal + entry.count - 1, entry.shard));
}

}  // namespace tidemill

#include "engine/log/segment_scanner.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "engine/base/crc32c.h"
#include "proto/record_batch.h"

namespace tidemill {
namespace {

constexpr std::uint64_t kSearchBytes = 2 * kCommitBytesMax;
constexpr std::size_t kSearchStep = 1_MiB;

/// `bytes` end with their stored checksum; `crc` is what the others really have.
void turn_back_flipped_bit(std::vector<std::byte>& bytes, std::uint32_t crc) {
    const std::size_t covered = bytes.size() - sizeof crc;
    const std::uint32_t difference = crc ^ load_le<std::uint32_t>(bytes.data() + covered);
    if (difference == 0) return;
    if (const auto bit = flipped_bit(covered, difference))
        bytes[*bit / 8] ^= static_cast<std::byte>(1u << (*bit % 8));
}

}  // namespace

std::int64_t ScannedCommit::last_arrival_ms(std::size_t i) const {
    const auto of = entry(i);
    const std::int64_t first = header.arrival_ms + std::int64_t{of.arrival_delta};
    if (of.is_control()) return first;
    const auto batch = RecordBatchView::parse_stamped(bytes.subspan(of.offset, of.bytes));
    return batch ? first + std::int64_t{batch->header().arrival_span_ms} : first;
}

Task<Result<Bytes>> FileWindow::at(std::uint64_t position, std::size_t length) {
    if (position < begin_ || position + length > begin_ + filled_) {
        const std::uint64_t begin = align_down(position, kDiskAlignment);
        const std::size_t wanted =
            align_up(static_cast<std::size_t>(position - begin) + std::max(length, read_bytes_),
                     kDiskAlignment);
        if (buffer_.size() < wanted) buffer_ = Buffer::allocate(wanted);
        filled_ = 0;
        CO_ASSIGN(filled_, co_await file_.read(begin, buffer_.bytes().first(wanted)));
        begin_ = begin;
        bytes_read_ += filled_;
    }
    if (position >= begin_ + filled_) co_return Bytes{};
    const auto offset = static_cast<std::size_t>(position - begin_);
    co_return Bytes{buffer_.data() + offset, std::min(length, filled_ - offset)};
}

Task<Result<std::optional<CommitHeader>>> SegmentScanner::header_at(std::uint64_t position,
                                                                    bool is_chained) {
    CO_ASSIGN(const Bytes bytes, co_await window_.at(position, sizeof(CommitHeader)));
    auto header = parse_commit_header(bytes, origin_);
    if (header && is_chained && (!follows(*header) || header->previous_check != previous_check_))
        header.reset();
    co_return header;
}

// Where commits were dropped by rewriting, numbers ascend but are not dense.
bool SegmentScanner::follows(const CommitHeader& header) const {
    if (header_.is_rewritten()) return header.number >= next_number_ && header.number < limit_;
    return header.number == next_number_;
}

Task<Result<std::optional<SegmentScanner::Later>>> SegmentScanner::find_later(
    std::uint64_t position, std::uint64_t number, bool must_prove) {
    std::uint64_t at = align_up(position, kCommitAlignment);
    const std::uint64_t end = std::min(file_.size(), at + kSearchBytes);
    while (at < end) {
        CO_ASSIGN(const Bytes bytes, co_await window_.at(at, kSearchStep + sizeof(CommitHeader)));
        if (bytes.size() < sizeof(CommitHeader)) break;
        const std::size_t stop = std::min(kSearchStep, bytes.size() - sizeof(CommitHeader) + 1);
        for (std::size_t i = 0; i < stop; i += kCommitAlignment) {
            if (load_le<std::uint32_t>(bytes.data() + i) != kCommitMagic) continue;
            const auto header = parse_commit_header(bytes.subspan(i), origin_);
            if (header && header->number > number && header->number < limit_ &&
                (!must_prove || header->durable >= number))
                co_return Later{at + i, *header};
        }
        if (stop < kSearchStep) break;
        at += kSearchStep;
    }
    co_return std::nullopt;
}

// A destroyed header or directory leaves the batches behind it whole: their own headers still tell
// how far their shards had come, so that no ordinal is given a second time.
Task<Status> SegmentScanner::salvage(std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t at = align_up(begin, kCommitAlignment);
         at + sizeof(RecordBatchHeader) <= end; at += kCommitAlignment) {
        CO_ASSIGN(const Bytes bytes, co_await window_.at(at, sizeof(RecordBatchHeader)));
        if (bytes.size() < sizeof(RecordBatchHeader)) break;
        const auto header = load_le<RecordBatchHeader>(bytes.data());
        if (header.magic != kRecordBatchMagic || header.record_count == 0 ||
            crc32c(bytes.first(sizeof header - 4)) != header.header_crc)
            continue;
        salvaged_.push_back({header.shard, 0, header.batch_bytes, header.record_count,
                             header.first_ordinal, header.header_crc, 0});
    }
    co_return Status{};
}

// Controls stand nowhere but in the directory, and a seal or a trim that was acknowledged must not
// be forgotten: one flipped bit in header or directory is found and turned back. What the directory
// says is then also all that the commit held.
Task<Result<bool>> SegmentScanner::salvage_directory(std::uint64_t position) {
    CO_ASSIGN(const Bytes found, co_await window_.at(position, sizeof(CommitHeader)));
    if (found.size() < sizeof(CommitHeader)) co_return false;
    std::vector<std::byte> bytes(found.begin(), found.end());
    constexpr std::size_t kCovered = offsetof(CommitHeader, header_crc);
    turn_back_flipped_bit(bytes, crc32c(Bytes(bytes).first(kCovered)));
    const auto header = parse_commit_header(bytes, origin_);
    const bool is_it =
        header && follows(*header) && (is_after_gap_ || header->previous_check == previous_check_);
    if (!is_it) co_return false;
    const std::size_t size = header->bytes - header->directory_offset;
    CO_ASSIGN(const Bytes stored, co_await window_.at(position + header->directory_offset, size));
    if (stored.size() < size) co_return false;
    bytes.assign(stored.begin(), stored.end());
    const std::uint32_t crc = crc32c(bytes);
    bytes.resize(size + sizeof(std::uint32_t));
    store_le(bytes.data() + size, header->directory_crc);
    turn_back_flipped_bit(bytes, crc);
    if (crc32c(Bytes(bytes).first(size)) != header->directory_crc) co_return false;
    for (std::size_t at = 0; at < size; at += sizeof(DirectoryEntry))
        salvaged_.push_back(load_le<DirectoryEntry>(bytes.data() + at));
    co_return true;
}

Task<Result<std::optional<ScannedCommit>>> SegmentScanner::next() {
    if (next_number_ >= limit_) co_return std::nullopt;
    std::uint64_t at = position_;
    CO_ASSIGN(auto header, co_await header_at(at, !is_after_gap_));
    if (!header && position_ % kBlockBytes != 0) {
        CO_ASSIGN(header, co_await header_at(position_ + kSkippedBytes, !is_after_gap_));
        if (header) at = position_ + kSkippedBytes;
    }
    ScannedCommit commit;
    bool is_whole = false;
    if (header) {
        commit.header = *header;
        commit.position = at;
        CO_ASSIGN(commit.bytes, co_await window_.at(at, header->bytes));
        is_whole = check_directory(commit.bytes, *header).has_value();
        for (std::uint32_t i = 0; is_whole && i < header->directory_count; ++i) {
            const auto entry = commit.entry(i);
            if (!entry.is_control() && !check_batch(commit.bytes, entry))
                commit.damaged.push_back(i);
        }
    }
    if (!is_whole || !commit.damaged.empty()) {
        const std::uint64_t bad = next_number_;
        bool is_proven = bad <= proven_;
        if (!is_proven) {
            CO_ASSIGN(const auto proof, co_await find_later(position_, bad, true));
            is_proven = proof.has_value();
        }
        if (!is_proven) {
            CO_ASSIGN(const Bytes rest, co_await window_.at(position_, 64));
            is_torn_ = header.has_value() ||
                       std::ranges::any_of(rest, [](std::byte b) { return b != std::byte{0}; });
            co_return std::nullopt;
        }
        if (!is_whole) {
            CO_ASSIGN(const auto later, co_await find_later(position_, bad, false));
            const std::uint64_t end =
                later ? later->position : std::min(file_.size(), position_ + kSearchBytes);
            damage_.push_back(
                {header_.number, position_, end, bad,
                 fmt::format("commit {} at {} of segment {} is damaged; {}", bad, position_,
                             header_.number,
                             later ? fmt::format("commit {} at {} is the next intact one",
                                                 later->header.number, later->position)
                                   : std::string("nothing intact follows"))});
            CO_TRY(co_await salvage(position_, end));
            CO_ASSIGN(bool is_told, co_await salvage_directory(position_));
            if (!is_told && position_ % kBlockBytes != 0) {
                CO_ASSIGN(is_told, co_await salvage_directory(position_ + kSkippedBytes));
            }
            const bool is_one = later ? later->header.number == bad + 1 : bad >= proven_;
            is_all_salvaged_ = is_all_salvaged_ && is_told && is_one;
            if (!later) {
                next_number_ = std::max(bad, proven_) + 1;
                position_ = end;
                limit_ = next_number_;  // nothing more will be found
                co_return std::nullopt;
            }
            position_ = later->position;
            next_number_ = later->header.number;
            is_after_gap_ = true;
            co_return co_await next();
        }
        // The view may have moved while we searched.
        CO_ASSIGN(commit.bytes, co_await window_.at(at, header->bytes));
        for (const auto i : commit.damaged) {
            const auto entry = commit.entry(i);
            damage_.push_back({header_.number, at + entry.offset, at + entry.offset + entry.bytes,
                               bad, check_batch(commit.bytes, entry).error().message});
        }
    }
    is_after_gap_ = false;
    position_ = commit.end();
    next_number_ = commit.header.number + 1;
    previous_check_ = commit.header.header_crc;
    co_return commit;
}

}  // namespace tidemill

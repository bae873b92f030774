#include "engine/log/commit_walk.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/crc32c.h"

namespace tidemill {

const std::vector<SegmentIndexEntry>& CommitWalk::index() const {
    return segment_.footer ? segment_.footer->index : segment_.building->entries();
}

bool CommitWalk::start(const std::optional<SegmentIndexEntry>& entry) {
    if (!entry) return false;
    position_ = std::uint64_t{entry->position8} * 8;
    first_ordinal_ = entry->first_ordinal;
    may_be_skipped_ = false;
    previous_check_.reset();
    return true;
}

bool CommitWalk::start_at(Ordinal ordinal) {
    return start(index_floor(index(), segment_.footer != nullptr, shard_, ordinal));
}

bool CommitWalk::start_at_time(std::int64_t arrival_ms) {
    return start(index_floor_time(index(), segment_.footer != nullptr, shard_, arrival_ms));
}

// Within a stride every commit may hold the shard; beyond it the index knows the next one that
// does.
void CommitWalk::go_past(const CommitHeader& header) {
    position_ = commit_at_ + header.bytes;
    may_be_skipped_ = position_ % kBlockBytes != 0;
    previous_check_ = header.header_crc;
    if (position_ / kIndexStride == commit_at_ / kIndexStride) return;
    const auto later = index_after(index(), segment_.footer != nullptr, shard_, commit_at_);
    if (!later) {
        position_ = segment_.end_position;
    } else if (const std::uint64_t at = std::uint64_t{later->position8} * 8; at >= position_) {
        position_ = at;
        may_be_skipped_ = false;
        previous_check_.reset();
    }
}

// What stands one block behind a destroyed commit may be a later one than the next.
Task<Result<bool>> CommitWalk::enter_commit() {
    const auto origin = origin_of(segment_.header);
    std::optional<CommitHeader> header;
    for (const std::uint64_t skip : {std::uint64_t{0}, kSkippedBytes}) {
        if (skip != 0 && !may_be_skipped_) break;
        CO_ASSIGN(const auto bytes,
                  co_await chunks_.fetch(segment_, position_ + skip, sizeof(CommitHeader)));
        header = parse_commit_header(bytes.bytes, origin);
        if (header && previous_check_ && header->previous_check != *previous_check_) header.reset();
        commit_at_ = position_ + skip;
        if (header) break;
    }
    if (!header) co_return false;
    header_ = *header;
    CO_ASSIGN(const auto directory,
              co_await chunks_.fetch(segment_, commit_at_ + header->directory_offset,
                                     header->directory_count * sizeof(DirectoryEntry)));
    if (directory.bytes.size() < header->directory_count * sizeof(DirectoryEntry) ||
        crc32c(directory.bytes) != header->directory_crc)
        co_return false;
    entries_.clear();
    next_entry_ = 0;
    const auto at = [&](std::size_t i) {
        return load_le<DirectoryEntry>(directory.bytes.data() + i * sizeof(DirectoryEntry));
    };
    std::size_t low = 0, high = header->directory_count;
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (at(middle).shard < shard_.value)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < header->directory_count && at(low).shard == shard_.value; ++low)
        if (!at(low).is_control()) entries_.push_back(at(low));
    co_return true;
}

// The commit at position_ is destroyed: look for the next header that fits.
Task<Result<bool>> CommitWalk::search_on() {
    constexpr std::size_t kStep = 64_KiB;
    damaged_at_ = position_;
    damage_ = fmt::format("the commit at {} of segment {} ({}) is damaged", position_,
                          segment_.header.number, segment_.name);
    const auto origin = origin_of(segment_.header);
    for (std::uint64_t at = position_ + kCommitAlignment; at < segment_.end_position; at += kStep) {
        CO_ASSIGN(const auto slice,
                  co_await chunks_.fetch(segment_, at, kStep + sizeof(CommitHeader)));
        for (std::size_t i = 0; i < kStep && i + sizeof(CommitHeader) <= slice.bytes.size();
             i += kCommitAlignment) {
            if (load_le<std::uint32_t>(slice.bytes.data() + i) != kCommitMagic ||
                !parse_commit_header(slice.bytes.subspan(i), origin))
                continue;
            position_ = at + i;
            may_be_skipped_ = false;
            previous_check_.reset();
            co_return true;
        }
    }
    position_ = segment_.end_position;
    co_return false;
}

Task<Result<std::optional<CommitWalk::Batch>>> CommitWalk::next() {
    while (true) {
        if (next_entry_ < entries_.size()) {
            const auto& entry = entries_[next_entry_++];
            co_return Batch{commit_at_ + entry.offset,
                            header_.arrival_ms + std::int64_t{entry.arrival_delta}, entry};
        }
        if (position_ >= segment_.end_position) co_return std::nullopt;
        CO_ASSIGN(const bool is_entered, co_await enter_commit());
        if (is_entered) {
            go_past(header_);
            continue;
        }
        CO_ASSIGN(const bool is_found, co_await search_on());
        if (!is_found) co_return std::nullopt;
    }
}

}  // namespace tidemill

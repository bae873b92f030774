#include "engine/log/segment_index.h"

#include <algorithm>

namespace tidemill {
namespace {

using Entries = std::vector<SegmentIndexEntry>;

/// The last entry of the shard for which `is_before` holds (it holds for a prefix of the shard's
/// entries), else its first.
template <class IsBefore>
std::optional<SegmentIndexEntry> last_where(const Entries& entries, bool is_sorted, ShardUid shard,
                                            IsBefore is_before) {
    if (is_sorted) {
        const auto of_shard =
            std::ranges::equal_range(entries, shard.value, {}, &SegmentIndexEntry::shard);
        if (of_shard.empty()) return std::nullopt;
        const auto end = std::ranges::partition_point(of_shard, is_before);
        return end == of_shard.begin() ? *end : *std::prev(end);
    }
    std::optional<SegmentIndexEntry> found;
    for (const auto& entry : entries)
        if (entry.shard == shard.value && (!found || is_before(entry))) found = entry;
    return found;
}

}  // namespace

void SegmentIndexBuilder::add(std::uint64_t position, std::int64_t commit_arrival_ms,
                              const DirectoryEntry& entry) {
    add(position, commit_arrival_ms, entry, commit_arrival_ms + std::int64_t{entry.arrival_delta});
}

void SegmentIndexBuilder::add(std::uint64_t position, std::int64_t commit_arrival_ms,
                              const DirectoryEntry& entry, std::int64_t last_arrival_ms) {
    record_count_ += entry.count;
    const std::int64_t arrival = commit_arrival_ms + std::int64_t{entry.arrival_delta};
    last_arrival_ms_ = std::max(last_arrival_ms_, last_arrival_ms);
    const auto stride = static_cast<std::uint32_t>(position / kIndexStride) + 1;
    auto& share = shares_[entry.shard];
    if (share.bytes8 == 0) share.first = entry.first_ordinal, share.first_arrival_ms = arrival;
    share.bytes8 += static_cast<std::uint32_t>(align_up(entry.bytes, kCommitAlignment) / 8);
    share.last_arrival_ms = last_arrival_ms;
    if (share.stride == stride) return;
    share.stride = stride;
    entries_.push_back({entry.shard, static_cast<std::uint32_t>(position / 8), entry.first_ordinal,
                        arrival, entry.offset, entry.bytes});
}

Entries SegmentIndexBuilder::sorted() const {
    auto entries = entries_;
    std::ranges::sort(entries, {}, [](const SegmentIndexEntry& entry) {
        return std::uint64_t{entry.shard} << 32 | entry.position8;
    });
    return entries;
}

const ShardEndEntry* SegmentFooter::end_of(ShardUid shard) const {
    const auto at = std::ranges::lower_bound(ends, shard.value, {}, &ShardEndEntry::shard);
    return at == ends.end() || at->shard != shard.value ? nullptr : &*at;
}

std::optional<SegmentIndexEntry> index_floor(const Entries& entries, bool is_sorted, ShardUid shard,
                                             Ordinal ordinal) {
    return last_where(entries, is_sorted, shard,
                      [&](const auto& entry) { return entry.first_ordinal <= ordinal; });
}

std::optional<SegmentIndexEntry> index_floor_time(const Entries& entries, bool is_sorted,
                                                  ShardUid shard, std::int64_t arrival_ms) {
    return last_where(entries, is_sorted, shard,
                      [&](const auto& entry) { return entry.arrival_ms < arrival_ms; });
}

std::optional<SegmentIndexEntry> index_after(const Entries& entries, bool is_sorted, ShardUid shard,
                                             std::uint64_t position) {
    const auto is_beyond = [&](const SegmentIndexEntry& entry) {
        return std::uint64_t{entry.position8} * 8 > position;
    };
    if (is_sorted) {
        const auto of_shard =
            std::ranges::equal_range(entries, shard.value, {}, &SegmentIndexEntry::shard);
        const auto at = std::ranges::partition_point(of_shard, std::not_fn(is_beyond));
        if (at == of_shard.end()) return std::nullopt;
        return *at;
    }
    const auto at = std::ranges::find_if(
        entries, [&](const auto& entry) { return entry.shard == shard.value && is_beyond(entry); });
    if (at == entries.end()) return std::nullopt;
    return *at;
}

}  // namespace tidemill

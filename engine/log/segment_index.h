#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/log/segment_format.h"

namespace tidemill {

/// Collects a segment's sparse index while its commits become durable or are scanned.
class SegmentIndexBuilder {
 public:
    /// What a shard has in the segment.
    struct Share {
        std::uint32_t stride = 0;  ///< last one noted, plus 1
        std::uint32_t bytes8 = 0;  ///< of its batches with their padding, in units of 8
        Ordinal first = 0;
        std::int64_t first_arrival_ms = 0, last_arrival_ms = 0;
    };

    /// Notes that the commit at `position` holds `entry` (a batch), in log order.
    void add(std::uint64_t position, std::int64_t commit_arrival_ms, const DirectoryEntry& entry);
    /// The same of a batch whose last record arrived at `last_arrival_ms`.
    void add(std::uint64_t position, std::int64_t commit_arrival_ms, const DirectoryEntry& entry,
             std::int64_t last_arrival_ms);
    const boost::unordered_flat_map<std::uint32_t, Share>& shares() const { return shares_; }
    std::uint64_t record_count() const { return record_count_; }
    std::int64_t last_arrival_ms() const { return last_arrival_ms_; }
    /// In log order.
    const std::vector<SegmentIndexEntry>& entries() const { return entries_; }
    /// Sorted by shard, then position, as it is stored.
    std::vector<SegmentIndexEntry> sorted() const;

 private:
    std::vector<SegmentIndexEntry> entries_;
    boost::unordered_flat_map<std::uint32_t, Share> shares_;
    std::uint64_t record_count_ = 0;
    std::int64_t last_arrival_ms_ = 0;
};

/// What a seal says of the lane as a whole, as of the segment's last commit.
struct SealedState {
    std::vector<ShardEndEntry> ends;       ///< sorted
    std::vector<ProducedBatch> producers;  ///< longest idle producer first
};

/// What a reader needs of a segment that is no longer written.
struct SegmentFooter {
    std::vector<SegmentIndexEntry> index;  ///< sorted
    std::vector<ShardEndEntry> ends;       ///< sorted

    std::size_t bytes() const {
        return index.size() * sizeof(SegmentIndexEntry) + ends.size() * sizeof(ShardEndEntry);
    }
    const ShardEndEntry* end_of(ShardUid shard) const;
};

/// The last entry of `shard` in log order whose first ordinal is at most `ordinal`; the first of
/// all when every one is greater. `entries` in log order or sorted.
std::optional<SegmentIndexEntry> index_floor(const std::vector<SegmentIndexEntry>& entries,
                                             bool is_sorted, ShardUid shard, Ordinal ordinal);
/// The same by time: the last entry that arrived before `arrival_ms`.
std::optional<SegmentIndexEntry> index_floor_time(const std::vector<SegmentIndexEntry>& entries,
                                                  bool is_sorted, ShardUid shard,
                                                  std::int64_t arrival_ms);
/// The first entry of `shard` at a position beyond `position`.
std::optional<SegmentIndexEntry> index_after(const std::vector<SegmentIndexEntry>& entries,
                                             bool is_sorted, ShardUid shard,
                                             std::uint64_t position);

}  // namespace tidemill

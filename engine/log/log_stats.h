#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "engine/base/error.h"
#include "engine/base/histogram.h"
#include "engine/base/ids.h"

namespace tidemill {

/// What a lane has done since it was opened. For /metrics and `log stats`.
struct LogStats {
    LaneId lane;
    std::uint64_t commits = 0;  ///< durable
    std::uint64_t batches = 0, records = 0;
    std::uint64_t batch_bytes = 0;  ///< as submitted
    std::uint64_t written_bytes =
        0;  ///< as sent to the device, padding and rewritten blocks included
    Histogram commit_bytes;
    Histogram write_micros;  ///< issue to completion
    std::uint32_t writes_in_flight = 0;
    std::uint64_t pending_bytes = 0;  ///< submitted and not yet durable
    std::uint64_t cache_bytes = 0;    ///< tail cache
    std::uint64_t read_cache_bytes = 0;
    std::uint64_t tail_reads = 0, disk_reads = 0;
    std::uint64_t segments = 0, segment_bytes = 0, spare_files = 0;
    std::uint64_t segments_recycled = 0, segments_removed = 0;
    std::uint64_t live_bytes = 0;  ///< in sealed segments, owed to somebody as of the last look
    std::uint64_t dead_bytes = 0;  ///< in sealed segments, owed to nobody
    std::uint64_t segments_rewritten = 0;
    std::uint64_t rewritten_bytes = 0;   ///< copied by rewriting
    std::uint64_t segments_packed = 0;   ///< of those rewritten, because their batches were small
    std::uint64_t packed_batches = 0;    ///< small batches that have become part of larger ones
    std::uint64_t segments_to_pack = 0;  ///< sealed ones that wait for it or for the first look
    std::uint64_t freed_bytes = 0;       ///< files' bytes given back by retiring and rewriting
    std::uint64_t dropped_early_segments = 0, dropped_early_bytes = 0;  ///< before their time
    std::uint64_t size_trims = 0;  ///< times a shard's oldest records went for its max_bytes
    std::uint64_t space_budget_bytes = 0, space_used_bytes = 0;  ///< of all lanes, in lane 0 only
    std::uint64_t rejected_throttled = 0, rejected_no_space = 0, rejected_other = 0, unknown = 0;
    std::uint64_t duplicates = 0;    ///< batches recognised as stored before
    std::uint64_t out_of_order = 0;  ///< batches of idempotent producers refused as such
    std::uint64_t producers = 0;     ///< idempotent producers remembered, by shard
    std::uint64_t reopened = 0;      ///< times the lane went through recovery after a failed write
    std::uint64_t damaged_ranges = 0;  ///< found so far, by recovery or by reads
    std::uint64_t scrubbed_bytes = 0, scrub_passes = 0;
    std::uint64_t scrub_left_bytes = 0;  ///< of the pass that is under way
    std::uint64_t recovery_micros = 0, recovery_bytes = 0;
    std::uint64_t shards = 0;
    std::string description;  ///< "io_uring, O_DIRECT; durability disk"
};

}  // namespace tidemill

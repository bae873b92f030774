#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/time.h"

namespace tidemill {

enum class LogDurability : std::uint8_t {
    Disk,    ///< acknowledged means on stable storage
    Memory,  ///< acknowledged before the write. The end of the process loses what it took in
             ///< `write_behind`, a loss of power what was written since the last tick
};

enum class WhenFull : std::uint8_t {
    Refuse,      ///< appends are Rejected with NoSpace until there is room
    DropOldest,  ///< the oldest segments go before their time, reported and counted
};

/// How the log behaves. Every limit is per lane unless it says otherwise.
struct LogConfig {
    std::string directory = "log";  ///< folder below the reactor's disk root
    std::uint32_t lane_count = 0;   ///< for a new data directory; 0: one for each core
    LogDurability durability = LogDurability::Disk;

    std::size_t segment_bytes = 256_MiB;      ///< of a full-grown segment
    std::size_t first_segment_bytes = 8_MiB;  ///< doubles from segment to segment
    std::uint64_t disk_budget_bytes = 0;      ///< files of all lanes together; 0: what the disk has
    std::uint64_t disk_free_bytes = 0;        ///< left free on the file system
    WhenFull when_full = WhenFull::Refuse;
    std::uint32_t spare_files = 2;  ///< retired files kept for use again

    std::uint32_t writes_in_flight = 4;
    std::size_t second_write_bytes =
        64_KiB;  ///< a commit this large does not wait for the one before it
    std::size_t early_write_bytes =
        128_KiB;  ///< a commit this large does not wait for the turn's end
    /// Durability `memory`: a small commit waits so long for more before it is written.
    std::chrono::milliseconds write_behind{2};
    std::size_t block_bytes = 1_MiB;  ///< commit buffers; also the usual largest commit
    std::size_t pending_bytes_max =
        64_MiB;  ///< submitted and not yet on disk; beyond it appends are Throttled
    std::size_t tail_cache_bytes = 128_MiB;
    std::size_t read_cache_bytes = 64_MiB;    ///< blocks read from disk
    std::size_t footer_cache_bytes = 32_MiB;  ///< indexes of sealed segments
    std::uint32_t read_ahead_chunks = 4;      ///< of 1 MiB, once a reader goes forward

    /// Idempotent producers remembered; beyond it the one idle for longest is forgotten.
    std::uint32_t producers_per_shard = 256;
    std::uint32_t producers = 16384;  ///< of all shards of the lane, 0.4 KiB each
    std::chrono::milliseconds producer_idle = std::chrono::hours{7 * 24};  ///< then forgotten
    std::uint64_t scrub_bytes_per_second = 0;  ///< background verification; 0: none
    std::chrono::milliseconds scrub_interval = std::chrono::hours{168};  ///< between its passes
    double rewrite_live_share = 0.5;  ///< a segment with less that is owed is rewritten
    std::uint64_t rewrite_bytes_per_second = 64_MiB;  ///< read and written each; 0: never rewrite
    std::uint64_t rewrite_gain_min = 256_KiB;         ///< a smaller gain is not worth a file
    bool packs = true;                                ///< old small batches into larger ones
    double pack_gain_share = 0.2;  ///< a segment of which packing saves so much is packed
    std::uint64_t pack_gain_min = 4_KiB;
    /// A lane that takes nothing for so long gives spare files back which it is unlikely to need.
    std::chrono::milliseconds idle_after{20'000};

    std::chrono::milliseconds tick{1000};  ///< retention, retries, deadlines of idle lanes
    std::uint64_t seed = 0;  ///< of salts and ids; 0: from the system. Simulation sets it.

    /// Told of what an operator should know: torn tails, damage, failed writes, no space. A whole
    /// sentence. Core: the lane's. Null: silence.
    std::function<void(const std::string&)> report;
};

}  // namespace tidemill

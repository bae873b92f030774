#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "engine/base/time.h"
#include "engine/catalog/stream.h"
#include "engine/io/task.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

/// What was counted of a shard since the process started, or since its stream came to show metrics
/// of single shards. Source: AWS, "Enhanced shard-level metrics".
struct ShardCounts {
    std::uint64_t incoming_bytes = 0, incoming_records = 0;  ///< data and keys, once stored
    std::uint64_t outgoing_bytes = 0, outgoing_records = 0;
    std::uint64_t writes_refused = 0, reads_refused = 0;  ///< above the shard's rate
    std::chrono::milliseconds iterator_age{};  ///< of the last record that the last read gave
    MonoTime last_read{};                      ///< when that was

    void count_written(std::uint64_t records, std::uint64_t bytes) {
        incoming_records += records;
        incoming_bytes += bytes;
    }
    void count_read(std::uint64_t records, std::uint64_t bytes) {
        outgoing_records += records;
        outgoing_bytes += bytes;
    }
    void merge(const ShardCounts& other);
};

/// The counts of the shards whose streams show metrics of single shards; nothing is kept of others.
/// Core: any of the reactors given; each counts for itself.
class WatchedShards {
 public:
    /// Ownership: the reactors outlive it.
    explicit WatchedShards(std::vector<Reactor*> reactors);

    /// This core's counts; null when the shard's stream shows none. Valid until the next
    /// suspension. Limits: O(1), but O(streams) at the first call after a change of the catalog.
    ShardCounts* find(ShardUid shard, const CatalogView& view);
    /// The sums over all cores.
    Task<std::map<ShardUid, ShardCounts>> collect();

 private:
    struct alignas(64) Core {
        std::uint64_t version = 0;  // of the view that `counts` goes by
        std::unordered_map<ShardUid, ShardCounts> counts;
    };
    static void follow(Core& core, const CatalogView& view);

    std::vector<Reactor*> reactors_;
    std::vector<Core> cores_;
};

}  // namespace tidemill

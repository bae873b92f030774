#include "engine/server/log_metrics.h"

#include "engine/telemetry/metrics.h"

namespace tidemill {
namespace {

struct Figure {
    const char* name;
    const char* help;
    std::uint64_t LogStats::* value;
};

constexpr Figure kCounters[] = {
    {"tidemill_log_commits_total", "durable commits", &LogStats::commits},
    {"tidemill_log_batches_total", "record batches written", &LogStats::batches},
    {"tidemill_log_records_total", "records written", &LogStats::records},
    {"tidemill_log_batch_bytes_total", "bytes of batches as submitted", &LogStats::batch_bytes},
    {"tidemill_log_written_bytes_total", "bytes sent to the device", &LogStats::written_bytes},
    {"tidemill_log_tail_reads_total", "reads answered from memory", &LogStats::tail_reads},
    {"tidemill_log_disk_reads_total", "reads that went to the disk", &LogStats::disk_reads},
    {"tidemill_log_segments_recycled_total", "segments used again", &LogStats::segments_recycled},
    {"tidemill_log_segments_removed_total", "segments given back", &LogStats::segments_removed},
    {"tidemill_log_segments_rewritten_total", "segments written anew without dead records",
     &LogStats::segments_rewritten},
    {"tidemill_log_rewritten_bytes_total", "bytes of batches that rewriting has copied",
     &LogStats::rewritten_bytes},
    {"tidemill_log_segments_packed_total", "segments written anew because their batches were small",
     &LogStats::segments_packed},
    {"tidemill_log_packed_batches_total", "small batches that are parts of larger ones now",
     &LogStats::packed_batches},
    {"tidemill_log_freed_bytes_total", "bytes freed by retiring and rewriting segments",
     &LogStats::freed_bytes},
    {"tidemill_log_dropped_early_bytes_total",
     "bytes dropped before their time because the disk was full", &LogStats::dropped_early_bytes},
    {"tidemill_log_size_trims_total", "times a shard's oldest records went for its max_bytes",
     &LogStats::size_trims},
    {"tidemill_log_unknown_total", "appends whose outcome is unknown", &LogStats::unknown},
    {"tidemill_log_duplicates_total", "repeated batches recognised, not stored again",
     &LogStats::duplicates},
    {"tidemill_log_out_of_order_total", "batches refused for their producer's sequence",
     &LogStats::out_of_order},
    {"tidemill_log_scrubbed_bytes_total", "bytes verified in the background",
     &LogStats::scrubbed_bytes},
    {"tidemill_log_scrub_passes_total", "background verifications of a whole lane",
     &LogStats::scrub_passes},
    {"tidemill_log_reopened_total", "recoveries after a failed write", &LogStats::reopened},
};
constexpr Figure kLevels[] = {
    {"tidemill_log_segments", "segments that hold records", &LogStats::segments},
    {"tidemill_log_segment_bytes", "bytes of their files", &LogStats::segment_bytes},
    {"tidemill_log_live_bytes", "bytes of sealed segments that are owed to somebody",
     &LogStats::live_bytes},
    {"tidemill_log_dead_bytes", "bytes of sealed segments that are owed to nobody",
     &LogStats::dead_bytes},
    {"tidemill_log_segments_to_pack", "sealed segments that wait for packing or a first look",
     &LogStats::segments_to_pack},
    {"tidemill_log_disk_budget_bytes", "what the log may take of the disk; 0: all",
     &LogStats::space_budget_bytes},
    {"tidemill_log_disk_used_bytes", "what it takes, spare files included",
     &LogStats::space_used_bytes},
    {"tidemill_log_pending_bytes", "bytes submitted and not yet durable", &LogStats::pending_bytes},
    {"tidemill_log_tail_cache_bytes", "newest commits in memory", &LogStats::cache_bytes},
    {"tidemill_log_read_cache_bytes", "blocks read from disk in memory",
     &LogStats::read_cache_bytes},
    {"tidemill_log_damaged_ranges", "places found damaged", &LogStats::damaged_ranges},
    {"tidemill_log_scrub_left_bytes", "bytes that this background verification has not reached",
     &LogStats::scrub_left_bytes},
    {"tidemill_log_shards", "shards the log knows", &LogStats::shards},
    {"tidemill_log_producers", "idempotent producers remembered, by shard", &LogStats::producers},
};

std::uint64_t sum(const std::vector<LogStats>& stats, std::uint64_t LogStats::* value) {
    std::uint64_t total = 0;
    for (const auto& lane : stats)
        total += lane.*value;
    return total;
}

}  // namespace

void register_log_metrics(MetricRegistry& registry, const std::vector<LogStats>& stats) {
    for (const auto& counter : kCounters)
        registry.sampled_counter(counter.name, counter.help, {},
                                 [&stats, value = counter.value] { return sum(stats, value); });
    const auto rejected = [&](const char* reason, std::uint64_t LogStats::* value) {
        registry.sampled_counter("tidemill_log_rejected_total", "appends refused, nothing written",
                                 {{"reason", reason}},
                                 [&stats, value] { return sum(stats, value); });
    };
    rejected("throttled", &LogStats::rejected_throttled);
    rejected("no_space", &LogStats::rejected_no_space);
    rejected("other", &LogStats::rejected_other);
    for (const auto& level : kLevels)
        registry.sampled_gauge(level.name, level.help, {}, [&stats, value = level.value] {
            return static_cast<double>(sum(stats, value));
        });
    const auto write_quantile = [&](const char* quantile, double fraction) {
        registry.sampled_gauge("tidemill_log_write_seconds", "time of a durable write since start",
                               {{"quantile", quantile}}, [&stats, fraction] {
                                   Histogram all;
                                   for (const auto& lane : stats)
                                       all.merge(lane.write_micros);
                                   return static_cast<double>(all.quantile(fraction)) / 1e6;
                               });
    };
    write_quantile("0.5", 0.5);
    write_quantile("0.99", 0.99);
}

}  // namespace tidemill

#include <fmt/format.h>

#include "bench/load/consume_load.h"

namespace tidemill::bench {
namespace {

constexpr auto kStallLimit = 20s;

/// The target with only one of its shards.
LoadTarget only_shard(const LoadTarget& target, std::size_t position) {
    LoadTarget one;
    one.shards = {target.shards[position]};
    one.trims = {target.trims[position]};
    one.ends = {target.ends[position]};
    one.durability = target.durability;
    return one;
}

/// Reads `target` to its end and adds what was found to `result`. Connecting is outside the clock.
Status read_once(const BenchOptions& options, const LoadTarget& target, BenchResult& result) {
    const std::uint64_t wanted = target.record_count();
    SocketWait sockets;
    ConsumeLoad load(options, target);
    const MonoTime start = std::chrono::steady_clock::now();
    TRY(load.open(sockets, 0, target.trims));
    MonoTime now = start, last_progress = start;
    for (std::uint64_t seen = 0; seen < wanted;) {
        for (const std::uint32_t index : sockets.wait_until(now + 100ms))
            TRY(load.receive(index));
        now = std::chrono::steady_clock::now();
        if (load.records() != seen) last_progress = now;
        seen = load.records();
        if (now - last_progress > kStallLimit)
            return fail(Errc::Timeout,
                        fmt::format("{}: no record for {} s, {} of {} read", options.connect,
                                    kStallLimit / 1s, seen, wanted));
    }
    result.elapsed_seconds += std::chrono::duration<double>(now - start).count();
    result.records += load.records();
    result.latency_ns.merge(load.latency_ns());
    const auto positions = load.positions();
    for (std::size_t i = 0; i < positions.size(); ++i)
        result.shard_records.push_back(positions[i] - target.trims[i]);
    return {};
}

}  // namespace

Result<BenchResult> run_catchup(const BenchOptions& wanted) {
    ASSIGN(const BenchOptions options, checked(wanted));
    ASSIGN(const LoadTarget target, existing_target(options));
    BenchResult result;
    result.kind = "catchup";
    result.durability = target.durability;
    result.shards = static_cast<std::uint32_t>(target.shards.size());
    result.options = options;
    if (options.sample_shards == 0) {
        TRY(read_once(options, target, result));
    } else {
        // Spread over the stream: neighbours may share blocks of the log.
        const std::size_t count =
            std::min<std::size_t>(options.sample_shards, target.shards.size());
        for (std::size_t i = 0; i < count; ++i)
            TRY(read_once(options, only_shard(target, i * target.shards.size() / count), result));
    }
    result.bytes = result.records * options.record_bytes;
    return result;
}

}  // namespace tidemill::bench

#include <fmt/format.h>

#include "bench/load/consume_load.h"
#include "bench/load/produce_load.h"

namespace tidemill::bench {
namespace {

constexpr std::uint64_t kWindowBytesMax = 32_MiB;  // of one connection

/// Room for a second's worth, within reason: the rate is kept while the broker hesitates, and the
/// wait is counted.
std::uint32_t open_loop_window(const BenchOptions& options) {
    const double second = std::min(
        options.rate, static_cast<double>(kWindowBytesMax / std::max(options.record_bytes, 1u)));
    return std::max(options.batch * 32, static_cast<std::uint32_t>(second));
}

}  // namespace

Status prepare_streams(const BenchOptions& wanted) {
    ASSIGN(BenchOptions options, checked(wanted));
    TRY(prepare_target(options));
    if (options.sql_output.empty()) return {};
    options.stream = options.sql_output;
    TRY(prepare_target(options));
    return {};
}

Result<BenchResult> run_latency(const BenchOptions& wanted) {
    BenchOptions asked = wanted;
    if (asked.rate == 0) asked.rate = 10'000;
    if (asked.window == 0) asked.window = open_loop_window(asked);
    ASSIGN(const BenchOptions options, checked(asked));
    ASSIGN(const LoadTarget target, prepare_target(options));
    // Through an application the records arrive elsewhere.
    BenchOptions delivery = options;
    if (!options.sql_output.empty()) delivery.stream = options.sql_output;
    ASSIGN(const LoadTarget delivered, prepare_target(delivery));
    SocketWait sockets;
    ProduceLoad produce(options, target, true);
    ConsumeLoad consume(delivery, delivered);
    consume.measure_latency();
    TRY(produce.open(sockets, 0));
    TRY(consume.open(sockets, options.connections, delivered.ends));
    const MonoTime start = std::chrono::steady_clock::now() + 10ms;
    produce.start(start);
    MonoTime now = start, last_progress = start;
    std::uint64_t seen = 0;
    while (!produce.is_all_sent(now) || !produce.is_idle() ||
           consume.records() < produce.acknowledged()) {
        ASSIGN(const MonoTime next, produce.send(sockets, now));
        for (const std::uint32_t index : sockets.wait_until(next)) {
            if (index < options.connections)
                TRY(produce.receive(index));
            else
                TRY(consume.receive(index));
        }
        now = std::chrono::steady_clock::now();
        if (consume.records() != seen) last_progress = now;
        seen = consume.records();
        if (now - last_progress > 20s)
            return fail(Errc::Timeout, fmt::format("{}: {} of {} acknowledged records delivered",
                                                   options.connect, seen, produce.acknowledged()));
    }
    BenchResult result;
    result.kind = "latency";
    result.records = consume.records();
    result.bytes = consume.data_bytes();
    result.elapsed_seconds = std::chrono::duration<double>(now - start).count();
    result.latency_ns = consume.latency_ns();
    result.acknowledge_ns = produce.latency_ns();
    result.throttled_batches = produce.throttled();
    result.durability = target.durability;
    result.shards = static_cast<std::uint32_t>(target.shards.size());
    result.options = options;
    return result;
}

}  // namespace tidemill::bench

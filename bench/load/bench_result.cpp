#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/load/bench.h"

namespace tidemill::bench {
namespace {

constexpr std::size_t kListedShardsMax = 64;

std::string quantiles(const Histogram& nanoseconds) {
    if (nanoseconds.count() == 0) return "null";
    const auto us = [&](double fraction) {
        return static_cast<double>(nanoseconds.quantile(fraction)) / 1000.0;
    };
    return fmt::format(R"({{"p50":{:.1f},"p99":{:.1f},"p999":{:.1f},"max":{:.1f}}})", us(0.5),
                       us(0.99), us(0.999), static_cast<double>(nanoseconds.max()) / 1000.0);
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += fmt::format("\\{}", c);
        else if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + "\"";
}

}  // namespace

double BenchResult::records_per_second() const {
    return elapsed_seconds > 0 ? static_cast<double>(records) / elapsed_seconds : 0;
}

double BenchResult::bytes_per_second() const {
    return elapsed_seconds > 0 ? static_cast<double>(bytes) / elapsed_seconds : 0;
}

std::string BenchResult::to_json() const {
    std::string text = fmt::format(
        R"({{"kind":"{}","records_per_second":{:.0f},"bytes_per_second":{:.0f},"latency_us":{},)",
        kind, records_per_second(), bytes_per_second(), quantiles(latency_ns));
    if (acknowledge_ns.count() != 0)
        text += fmt::format(R"("acknowledge_us":{},)", quantiles(acknowledge_ns));
    if (throttled_batches != 0)
        text += fmt::format(R"("throttled_batches":{},)", throttled_batches);
    if (is_broken) text += R"("broken":true,)";
    if (!shard_records.empty() && shard_records.size() <= kListedShardsMax)
        text += fmt::format(R"("shard_records":[{}],)", fmt::join(shard_records, ","));
    if (options.compression.codec != Codec::None)
        text += fmt::format(R"("compression":{},)", quoted(to_string(options.compression)));
    text += fmt::format(
        R"("durability":{},"record_bytes":{},"shards":{},"batch":{},"connections":{},"seconds":{:.6f},"records":{},"payload_bytes":{}}})",
        quoted(durability), options.record_bytes, shards, options.batch, options.connections,
        elapsed_seconds, records, bytes + records * kKeyBytes);
    return text;
}

}  // namespace tidemill::bench

#include "bench/load/load_target.h"

#include <fmt/format.h>

#include "bench/load/stamped_batch.h"
#include "engine/base/random.h"
#include "producer/endpoint.h"
#include "proto/record_batch.h"
#include "proto/wire_limits.h"

namespace tidemill::bench {
namespace {

std::unexpected<Error> failed(const client::Failure& failure) {
    return std::unexpected(client::error_named(failure.code, failure.message));
}

Result<LoadTarget> found_target(client::AdminClient& admin, const BenchOptions& options) {
    const auto stream = admin.describe_stream(options.stream, true);
    if (!stream) return failed(stream.failure());
    const auto broker = admin.broker();
    if (!broker) return failed(broker.failure());
    LoadTarget target;
    target.durability = broker->durability;
    for (const auto& shard : stream->shards) {
        if (!shard.is_open()) continue;
        target.shards.push_back(shard.uid);
        target.trims.push_back(shard.trim);
        target.ends.push_back(shard.end);
    }
    if (target.shards.empty())
        return fail(Errc::ResourceInUse,
                    fmt::format("stream {} has no open shard", options.stream));
    return target;
}

}  // namespace

std::uint64_t LoadTarget::record_count() const {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < ends.size(); ++i)
        count += ends[i] - trims[i];
    return count;
}

Result<LoadTarget> prepare_target(const BenchOptions& options) {
    auto admin = client::AdminClient::connect(options.connect);
    if (!admin) return failed(admin.failure());
    const auto stream = admin->describe_stream(options.stream, true);
    if (!stream && stream.failure().code == "not_found") {
        client::NewStream wanted;
        wanted.name = options.stream;
        wanted.shard_count = options.shards;
        if (auto made = admin->create_stream(wanted); !made) return failed(made.failure());
    }
    return found_target(*admin, options);
}

Result<LoadTarget> existing_target(const BenchOptions& options) {
    auto admin = client::AdminClient::connect(options.connect);
    if (!admin) return failed(admin.failure());
    ASSIGN(LoadTarget target, found_target(*admin, options));
    if (target.record_count() == 0)
        return fail(Errc::NotFound, fmt::format("stream {} holds no records", options.stream));
    return target;
}

Result<BenchOptions> checked(BenchOptions options) {
    if (options.record_bytes < 8)
        return fail(Errc::InvalidArgument,
                    "a benchmark's records have at least 8 bytes: they carry a time");
    if (options.batch == 0 || options.connections == 0 || options.shards == 0)
        return fail(Errc::InvalidArgument, "batch, connections and shards are at least 1");
    if (std::uint64_t{options.batch} * (options.record_bytes + 16) > wire_limits::kBatchBytesMax)
        return fail(Errc::InvalidArgument,
                    fmt::format("a batch of {} records of {} bytes is larger than {} bytes",
                                options.batch, options.record_bytes, wire_limits::kBatchBytesMax));
    if (options.rate < 0 || options.seconds < 0)
        return fail(Errc::InvalidArgument, "rate and seconds are not negative");
    if (options.records == 0 && options.seconds == 0) options.seconds = 5;
    if (options.window == 0) options.window = options.batch * 32;
    options.window = std::max(options.window, options.batch);
    return options;
}

namespace {

// Text-like bytes: neither constant nor incompressible.
void fill_with_letters(std::vector<std::byte>& data, Random& random) {
    for (auto& byte : data)
        byte = static_cast<std::byte>('a' + random.below(26));
}

// Readings as devices send them, one behind the other: what a codec meets in practice.
void fill_with_json(std::vector<std::byte>& data, Random& random) {
    std::string text(sizeof(std::int64_t), ' ');
    while (text.size() < data.size())
        text += fmt::format(
            R"({{"device":"d-{:04}","time":"2024-05-{:02}T{:02}:{:02}:{:02}Z","temperature":{:.2f},)"
            R"("pressure":{},"state":"{}"}})",
            random.below(2000), 1 + random.below(28), random.below(24), random.below(60),
            random.below(60), static_cast<double>(random.below(4000)) / 100,
            95'000 + random.below(10'000), random.chance(0.9) ? "ok" : "degraded");
    std::memcpy(data.data(), text.data(), data.size());
}

}  // namespace

std::vector<std::byte> build_batch(const BenchOptions& options, std::uint64_t seed) {
    Random random(seed);
    RecordBatchBuilder builder;
    std::vector<std::byte> data(options.record_bytes);
    for (std::uint32_t i = 0; i < options.batch; ++i) {
        if (options.compression.codec == Codec::None)
            fill_with_letters(data, random);
        else
            fill_with_json(data, random);
        if (options.sql_output.empty()) {
            store_le(data.data(), std::int64_t{0});
        } else {
            const auto begin = json_stamp(0) + ",\"p\":\"";
            std::memcpy(data.data(), begin.data(), begin.size());
            std::memcpy(data.data() + data.size() - 2, "\"}", 2);
        }
        builder.add(fmt::format("k{:03}", random.below(1000)), data);
    }
    const Bytes bytes = builder.finish().bytes();
    return {bytes.begin(), bytes.end()};
}

}  // namespace tidemill::bench

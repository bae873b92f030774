// LocalStreamService: what is used of what may be.
#include <algorithm>

#include "engine/reactor/call_on.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/service_limits.h"

namespace tidemill {
namespace {

std::uint64_t rounded(double value) { return static_cast<std::uint64_t>(value + 0.5); }

/// The greatest of each rate: whose shard it is does not matter here.
ShardRates greatest(const StreamInfo& stream, const UsageTable& usage) {
    ShardRates most;
    for (const std::uint32_t position : stream.open) {
        const ShardRates one = usage.rates(stream.shards[position].uid);
        most.records_in = std::max(most.records_in, one.records_in);
        most.bytes_in = std::max(most.bytes_in, one.bytes_in);
        most.bytes_out = std::max(most.bytes_out, one.bytes_out);
    }
    return most;
}

}  // namespace

Task<Result<LimitsReport>> LocalStreamService::limits_report(std::string stream) {
    auto read = [this, name = std::move(stream)] { return report_limits_at_home(name); };
    co_return co_await call_on(home(), std::move(read));
}

Task<Result<LimitsReport>> LocalStreamService::report_limits_at_home(std::string name) {
    const bool is_aws = limits_ != nullptr;
    LimitsReport report{is_aws ? LimitsMode::Aws : LimitsMode::None, {}};
    const auto add = [&](std::string what, std::uint64_t used, std::uint64_t limit) {
        report.counts.push_back({std::move(what), used, limit});
    };
    if (name.empty()) {
        std::uint64_t open = 0, on_demand = 0;
        for (const auto& [unused, stream] : catalog_.view()->streams) {
            open += stream->open.size();
            on_demand += stream->mode == StreamMode::OnDemand ? 1 : 0;
        }
        add("streams", catalog_.view()->streams.size(), service_limits::kStreamsMax);
        add("streams on demand", on_demand,
            is_aws ? aws_rates::kOnDemandStreams : service_limits::kStreamsMax);
        add("open shards", open, is_aws ? aws_rates::kShards : service_limits::kShardsMax);
        co_return report;
    }
    CO_ASSIGN(const StreamPtr stream, find_stream(name));
    const bool is_on_demand = stream->mode == StreamMode::OnDemand && on_demand_options_.is_on;
    add("open shards", stream->open.size(),
        is_on_demand ? on_demand_options_.shards_max : service_limits::kShardsPerStreamMax);
    add("tags", stream->tags.size(), service_limits::kTagsMax);
    add("registered consumers", stream->consumers.size(), service_limits::kConsumersPerStreamMax);
    const ShardRates most = greatest(*stream, usage_);
    const auto limit = [&](BucketRate rate) { return is_aws ? rounded(rate.per_second) : 0; };
    add("records/s into the busiest shard", rounded(most.records_in),
        limit(aws_rates::kWriteRecords));
    add("bytes/s into the busiest shard", rounded(most.bytes_in), limit(aws_rates::kWriteBytes));
    add("bytes/s out of the busiest shard", rounded(most.bytes_out), limit(aws_rates::kReadBytes));
    if (is_on_demand)
        add("load of the busiest shard, 100: it is split",
            rounded(100 * OnDemandPolicy::load_of(most, on_demand_options_)), 100);
    if (!is_aws) co_return report;
    const MonoTime now = home().clock().mono_now();
    const auto made = [&](DailyChange change) {
        return limits_->control().made(change, stream->uid, now);
    };
    add("scalings in 24 hours", made(DailyChange::Scale), aws_rates::kScalingsADay);
    add("encryption started in 24 hours", made(DailyChange::StartEncryption),
        aws_rates::kEncryptionStartsADay);
    add("encryption stopped in 24 hours", made(DailyChange::StopEncryption),
        aws_rates::kEncryptionStopsADay);
    add("mode switches in 24 hours", made(DailyChange::SwitchMode), aws_rates::kModeSwitchesADay);
    co_return report;
}

}  // namespace tidemill

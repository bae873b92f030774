#include "engine/usage/control_rates.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/usage/aws_rates.h"

namespace tidemill {
namespace {

constexpr ControlRate kRates[] = {
    {"AddTagsToStream", 5, RateScope::Account},
    {"CreateChannel", 5, RateScope::Account},
    {"CreateStream", 5, RateScope::Account},
    {"DecreaseStreamRetentionPeriod", 5, RateScope::Account},
    {"DeleteChannel", 5, RateScope::Account},
    {"DeleteResourcePolicy", 5, RateScope::Account},
    {"DeleteStream", 5, RateScope::Account},
    {"DeregisterStreamConsumer", 5, RateScope::Account},
    {"DescribeAccountSettings", 5, RateScope::Account},
    {"DescribeChannel", 5, RateScope::Account},
    {"DescribeLimits", 1, RateScope::Account},
    {"DescribeStream", 10, RateScope::Account},
    {"DescribeStreamConsumer", 20, RateScope::Account},
    {"DescribeStreamSummary", 20, RateScope::Account},
    {"DisableEnhancedMonitoring", 5, RateScope::Account},
    {"EnableEnhancedMonitoring", 5, RateScope::Account},
    {"GetResourcePolicy", 5, RateScope::Account},
    {"IncreaseStreamRetentionPeriod", 5, RateScope::Account},
    {"ListChannels", 5, RateScope::Account},
    {"ListShards", 1000, RateScope::Stream},
    {"ListStreamConsumers", 5, RateScope::Account},
    {"ListStreams", 5, RateScope::Account},
    {"ListTagsForResource", 5, RateScope::Account},
    {"ListTagsForStream", 5, RateScope::Account},
    {"MergeShards", 5, RateScope::Account},
    {"PutResourcePolicy", 5, RateScope::Account},
    {"RegisterStreamConsumer", 5, RateScope::Account},
    {"RemoveTagsFromStream", 5, RateScope::Account},
    {"SplitShard", 5, RateScope::Account},
    {"StartStreamEncryption", 5, RateScope::Account},
    {"StopStreamEncryption", 5, RateScope::Account},
    {"SubscribeToShard", 1, RateScope::Subscription},
    {"TagResource", 5, RateScope::Account},
    {"UntagResource", 5, RateScope::Account},
    {"UpdateAccountSettings", 5, RateScope::Account},
    {"UpdateChannel", 5, RateScope::Account},
    {"UpdateMaxRecordSize", 5, RateScope::Account},
    {"UpdateShardCount", 5, RateScope::Account},
    {"UpdateStreamMode", 5, RateScope::Account},
    {"UpdateStreamRecordDistributionStrategy", 5, RateScope::Account},
    {"UpdateStreamWarmThroughput", 5, RateScope::Account},
};
static_assert(std::ranges::is_sorted(kRates, {}, &ControlRate::operation));

struct DailyLimit {
    std::size_t count;
    std::string_view what;
};

DailyLimit limit_of(DailyChange change) {
    switch (change) {
        case DailyChange::Scale:
            return {aws_rates::kScalingsADay, "have its shard count updated"};
        case DailyChange::StartEncryption:
            return {aws_rates::kEncryptionStartsADay, "have encryption started"};
        case DailyChange::StopEncryption:
            return {aws_rates::kEncryptionStopsADay, "have encryption stopped"};
        case DailyChange::SwitchMode:
            break;
    }
    return {aws_rates::kModeSwitchesADay, "switch between modes"};
}

}  // namespace

const ControlRate* control_rate_of(std::string_view operation) {
    const auto* found = std::ranges::lower_bound(kRates, operation, {}, &ControlRate::operation);
    return found != std::end(kRates) && found->operation == operation ? found : nullptr;
}

bool ControlRates::take(std::string_view operation, std::string_view account,
                        std::string_view scope, MonoTime now) {
    const ControlRate* rate = control_rate_of(operation);
    if (rate == nullptr) return true;
    std::string key = fmt::format("{} {}", operation, account);
    if (rate->scope != RateScope::Account) key.append(1, ' ').append(scope);
    auto found = calls_.find(key);
    if (found == calls_.end()) {
        if (calls_.size() >= look_at_size_) {
            std::erase_if(calls_, [now](const auto& entry) { return entry.second.is_full(now); });
            look_at_size_ = std::max<std::size_t>(1024, 2 * calls_.size());
        }
        const BucketRate bucket{rate->per_second, rate->per_second};
        found = calls_.emplace(std::move(key), TokenBucket(bucket, now)).first;
    }
    return found->second.try_take(1, now);
}

Status ControlRates::check(DailyChange change, StreamUid stream, std::string_view name,
                           MonoTime now) {
    const DailyLimit limit = limit_of(change);
    if (made(change, stream, now) < limit.count) return {};
    return fail(Errc::LimitExceeded,
                fmt::format("Stream {} may {} {} times in 24 hours, and has been.", name,
                            limit.what, limit.count));
}

void ControlRates::count(DailyChange change, StreamUid stream, MonoTime now) {
    changes_[{stream, change}].push_back(now);
}

std::size_t ControlRates::made(DailyChange change, StreamUid stream, MonoTime now) {
    const auto found = changes_.find({stream, change});
    if (found == changes_.end()) return 0;
    auto& times = found->second;
    while (!times.empty() && now - times.front() >= aws_rates::kDay)
        times.pop_front();
    if (times.empty()) {
        changes_.erase(found);
        return 0;
    }
    return times.size();
}

void ControlRates::forget(StreamUid stream) {
    std::erase_if(changes_, [stream](const auto& entry) { return entry.first.first == stream; });
}

}  // namespace tidemill

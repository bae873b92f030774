#include "engine/usage/on_demand_policy.h"

#include <algorithm>
#include <cmath>

#include "engine/usage/aws_rates.h"

namespace tidemill {
namespace {

bool is_near_whole(double value) { return std::abs(value - std::round(value)) < 1e-6; }

/// Whether the range is one of n equal parts of all hash keys, as streams begin with and halving
/// leaves.
bool is_even_part(const HashRange& range) {
    const double width = static_cast<double>(range.last - range.first) + 1;
    return is_near_whole(std::ldexp(1.0, 128) / width) &&
           is_near_whole(static_cast<double>(range.first) / width);
}

}  // namespace

OnDemandOptions aws_on_demand(OnDemandOptions base) {
    base.bytes_in = aws_rates::kWriteBytes.per_second / 2;
    base.records_in = aws_rates::kWriteRecords.per_second / 2;
    base.bytes_out = aws_rates::kReadBytes.per_second / 2;
    return base;
}

double OnDemandPolicy::load_of(const ShardRates& rates, const OnDemandOptions& options) {
    return std::max({rates.bytes_in / options.bytes_in, rates.records_in / options.records_in,
                     rates.bytes_out / options.bytes_out});
}

OnDemandDecision OnDemandPolicy::decide(const std::vector<ShardLoad>& shards, std::uint32_t floor,
                                        const OnDemandOptions& options, MonoTime now) {
    OnDemandDecision decision;
    split_hot(shards, options, now, decision);
    // Never both at once: what is split now shows its load a moment later.
    if (decision.changes.empty())
        merge_cold(shards, floor, options, now, decision);
    else
        cold_since_.clear();
    return decision;
}

void OnDemandPolicy::split_hot(const std::vector<ShardLoad>& shards, const OnDemandOptions& options,
                               MonoTime now, OnDemandDecision& decision) {
    std::map<std::uint32_t, MonoTime> hot;
    std::vector<std::uint32_t> told;
    std::vector<std::pair<double, const ShardLoad*>> due;
    for (const auto& shard : shards) {
        const double load = load_of(shard.rates, options);
        if (load < 1) continue;
        const auto known = hot_since_.find(shard.index);
        const MonoTime since = known == hot_since_.end() ? now : known->second;
        hot.emplace(shard.index, since);
        if (std::ranges::find(told_, shard.index) != told_.end()) told.push_back(shard.index);
        const bool has_few_keys = !shard.keys.empty() && shard.keys.size() < kKeysWanted;
        const auto wait = options.split_after * (has_few_keys ? 3 : 1);
        if (now - since >= wait) due.emplace_back(load, &shard);
    }
    hot_since_ = std::move(hot);
    told_ = std::move(told);
    std::ranges::sort(due, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second->index < b.second->index;
    });
    std::size_t open = shards.size();
    for (const auto& [load, shard] : due) {
        if (open >= options.shards_max) return;
        const auto point = best_split(shard->range, shard->keys);
        if (!point || point->share > kUseful) {
            if (std::ranges::find(told_, shard->index) != told_.end()) continue;
            told_.push_back(shard->index);
            decision.one_key.push_back(shard->index);
            continue;
        }
        decision.changes.push_back({shard->index, 0, point->key});
        decision.splits.push_back(shard->index);
        hot_since_.erase(shard->index);
        ++open;
    }
}

void OnDemandPolicy::merge_cold(const std::vector<ShardLoad>& shards, std::uint32_t floor,
                                const OnDemandOptions& options, MonoTime now,
                                OnDemandDecision& decision) {
    struct Candidate {
        uint128 width;
        std::size_t left;
        bool is_even;
    };
    std::map<Pair, MonoTime> cold;
    std::vector<Candidate> due;
    bool has_even = false;
    for (std::size_t i = 0; i + 1 < shards.size(); ++i) {
        const double load =
            load_of(shards[i].rates, options) + load_of(shards[i + 1].rates, options);
        if (load >= kColdBelow) continue;
        const Pair pair{shards[i].index, shards[i + 1].index};
        const auto known = cold_since_.find(pair);
        const MonoTime since = known == cold_since_.end() ? now : known->second;
        cold.emplace(pair, since);
        const HashRange both{shards[i].range.first, shards[i + 1].range.last};
        const bool is_even = is_even_part(both);
        has_even |= is_even;
        if (now - since >= options.merge_after) due.push_back({both.last - both.first, i, is_even});
    }
    cold_since_ = std::move(cold);
    // The narrowest first: what was split off goes back, and an even stream stays even. So others
    // wait while there are, or soon will be, pairs that make even parts.
    if (has_even) std::erase_if(due, [](const Candidate& one) { return !one.is_even; });
    std::ranges::sort(due, [](const Candidate& a, const Candidate& b) {
        return a.width != b.width ? a.width < b.width : a.left < b.left;
    });
    std::vector<bool> is_taken(shards.size());
    std::size_t open = shards.size();
    for (const auto& [width, left, is_even] : due) {
        if (open <= floor) return;
        if (is_taken[left] || is_taken[left + 1]) continue;
        is_taken[left] = is_taken[left + 1] = true;
        decision.changes.push_back({shards[left].index, shards[left + 1].index, std::nullopt});
        --open;
    }
}

}  // namespace tidemill

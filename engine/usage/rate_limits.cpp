#include "engine/usage/rate_limits.h"

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/reactor/call_on.h"

namespace tidemill {

std::optional<LimitsMode> parse_limits_mode(std::string_view text) {
    if (text == "none") return LimitsMode::None;
    if (text == "aws") return LimitsMode::Aws;
    return std::nullopt;
}

std::string_view limits_mode_text(LimitsMode mode) {
    return mode == LimitsMode::Aws ? "aws" : "none";
}

RateLimits::RateLimits(std::vector<Reactor*> reactors)
    : reactors_(std::move(reactors)), cores_(reactors_.size()) {}

RateLimits::Core& RateLimits::here() {
    const auto core = Reactor::current().id().value;
    TM_CHECK(core < cores_.size(), "rates are not kept on core {}", core);
    return cores_[core];
}

bool RateLimits::is_here(ShardUid shard) const { return &core_of(shard) == &Reactor::current(); }

bool RateLimits::take_write(ShardUid shard, WriteCost cost) {
    TM_CHECK(is_here(shard), "shard {} is counted on another core", shard);
    return here().shards.take_write(shard, cost, Reactor::current().clock().mono_now());
}

Task<std::vector<ShardWrites>> RateLimits::admit_writes(std::vector<ShardWrites> writes) {
    std::vector<std::vector<std::uint32_t>> of_core(reactors_.size());
    for (std::uint32_t i = 0; i < writes.size(); ++i)
        of_core[writes[i].shard.value % reactors_.size()].push_back(i);
    for (std::size_t core = 0; core < of_core.size(); ++core) {
        if (of_core[core].empty()) continue;
        std::vector<ShardWrites> part;
        for (const auto i : of_core[core])
            part.push_back(std::move(writes[i]));
        auto decide = [this, asked = std::move(part)]() mutable -> Task<std::vector<ShardWrites>> {
            const MonoTime now = Reactor::current().clock().mono_now();
            for (auto& write : asked)
                for (const auto bytes : write.record_bytes)
                    write.is_admitted.push_back(
                        here().shards.take_write(write.shard, {1, bytes}, now));
            co_return std::move(asked);
        };
        auto decided = co_await call_on(*reactors_[core], std::move(decide));
        for (std::size_t i = 0; i < decided.size(); ++i)
            writes[of_core[core][i]] = std::move(decided[i]);
    }
    co_return writes;
}

Task<std::vector<bool>> RateLimits::admit_batches(ShardUid shard, std::vector<WriteCost> batches) {
    auto decide = [this, shard, asked = std::move(batches)]() -> Task<std::vector<bool>> {
        std::vector<bool> admitted;
        for (const auto& cost : asked)
            admitted.push_back(take_write(shard, cost));
        co_return admitted;
    };
    co_return co_await call_on(core_of(shard), std::move(decide));
}

Task<Status> RateLimits::admit_read(ShardUid shard) {
    auto decide = [this, shard]() -> Task<bool> {
        co_return here().shards.take_read_call(shard, Reactor::current().clock().mono_now());
    };
    if (co_await call_on(core_of(shard), std::move(decide))) co_return Status{};
    co_return fail(Errc::Throttled, fmt::format("Rate exceeded for shard {}.", shard));
}

Task<void> RateLimits::charge_read(ShardUid shard, std::uint64_t bytes) {
    auto charge = [this, shard, bytes]() -> Task<void> {
        here().shards.charge_read(shard, bytes, Reactor::current().clock().mono_now());
        co_return;
    };
    co_await call_on(core_of(shard), std::move(charge));
}

Task<Status> RateLimits::admit_iterator(ShardUid shard) {
    auto decide = [this, shard]() -> Task<bool> {
        co_return here().shards.take_iterator_call(shard, Reactor::current().clock().mono_now());
    };
    if (co_await call_on(core_of(shard), std::move(decide))) co_return Status{};
    co_return fail(Errc::Throttled, fmt::format("Rate exceeded for shard {}.", shard));
}

Task<Status> RateLimits::admit_operation(std::string operation, std::string account,
                                         std::string scope) {
    if (control_rate_of(operation) == nullptr) co_return Status{};
    auto decide = [this, operation, account = std::move(account),
                   scope = std::move(scope)]() -> Task<bool> {
        const bool may =
            control_.take(operation, account, scope, Reactor::current().clock().mono_now());
        if (!may) ++here().shards.stats.operations;
        co_return may;
    };
    if (co_await call_on(*reactors_.front(), std::move(decide))) co_return Status{};
    co_return fail(Errc::LimitExceeded, fmt::format("Rate exceeded for {}.", operation));
}

TokenBucket RateLimits::subscription_pace() const {
    return {aws_rates::kSubscriptionBytes, Reactor::current().clock().mono_now()};
}

const ThrottleStats& RateLimits::stats() const {
    return cores_[Reactor::current().id().value].shards.stats;
}

std::optional<ShardQuota> exceeded_shard_quota(const CatalogView& view, std::uint64_t more) {
    ShardQuota quota{0, aws_rates::kShards};
    for (const auto& [name, stream] : view.streams)
        quota.open += stream->open.size();
    if (quota.open + more <= quota.limit) return std::nullopt;
    return quota;
}

}  // namespace tidemill

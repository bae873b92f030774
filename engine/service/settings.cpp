// LocalStreamService: how streams and accounts are set.
#include <algorithm>

#include <fmt/format.h>

#include "engine/catalog/reshard.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/service_limits.h"
#include "engine/service/stream_rules.h"

namespace tidemill {
namespace {

constexpr const char* kAccountKind = "account";

Status apply(StreamInfo& stream, const SettingsChange& change) {
    if ((change.mode || change.warm_mib_per_second) && stream.status != StreamStatus::Active)
        return fail(
            Errc::ResourceInUse,
            fmt::format("Stream {} is not ACTIVE: its shards are being changed.", stream.name));
    if (change.mode && *change.mode == StreamMode::Provisioned) {
        stream.warm_mib_per_second = 0;
        stream.distribution = RecordDistribution::ByKey;
    }
    stream.mode = change.mode.value_or(stream.mode);
    stream.max_record_bytes = change.max_record_bytes.value_or(stream.max_record_bytes);
    stream.warm_mib_per_second = change.warm_mib_per_second.value_or(stream.warm_mib_per_second);
    stream.distribution = change.distribution.value_or(stream.distribution);
    stream.shard_metrics = static_cast<ShardMetrics>(
        ((stream.shard_metrics | change.watch) & ~change.unwatch) & kAllShardMetrics);
    return check_settings(stream);
}

}  // namespace

Task<Status> LocalStreamService::check_warm_account(std::string account) {
    CO_ASSIGN(const AccountSettings settings, co_await account_settings(std::move(account)));
    if (settings.is_committed()) co_return Status{};
    co_return fail(Errc::Validation,
                   "Warm throughput is only supported in accounts that have "
                   "MinimumThroughputBillingCommitment enabled.");
}

Task<Result<StreamPtr>> LocalStreamService::change_settings(std::string name,
                                                            SettingsChange change) {
    if (change.warm_mib_per_second.value_or(0) != 0) {
        CO_ASSIGN(const StreamPtr stream, find_stream(name));
        CO_TRY(co_await check_warm_account(stream->owner_account));
    }
    auto edit = [this, &change](StreamInfo& stream, Catalog::UidSource&) -> Status {
        const StreamMode before = stream.mode;
        TRY(apply(stream, change));
        return stream.mode == before ? Status{} : count_mode_switch(stream);
    };
    CO_ASSIGN(const StreamPtr changed, co_await catalog_.change(name, std::move(edit), nullptr));
    const std::uint32_t shards = warm_shards(changed->warm_mib_per_second);
    if (!change.warm_mib_per_second || shards <= changed->open.size()) co_return changed;
    auto plan = [shards](const StreamInfo& now, WallTime time) {
        return plan_scale(now, shards, time);
    };
    co_return co_await reshard(std::move(name), std::move(plan));
}

/// With limits only so many a day, and so many streams on demand. At home.
Status LocalStreamService::count_mode_switch(const StreamInfo& stream) {
    if (limits_ == nullptr) return {};
    TRY(check_quotas(stream.mode, 0, *catalog_.view()));
    return count_change(DailyChange::SwitchMode, stream);
}

Task<Status> LocalStreamService::set_policy(std::string stream, std::string policy) {
    CO_TRY(check_policy(policy));
    auto edit = [&policy](StreamInfo& now, Catalog::UidSource&) -> Status {
        now.policy = policy;
        return {};
    };
    CO_TRY(co_await catalog_.change(std::move(stream), std::move(edit), nullptr));
    co_return Status{};
}

Task<Result<AccountSettings>> LocalStreamService::account_settings(std::string account) {
    if (account.empty()) account = kDefaultAccount;
    CO_ASSIGN(const auto stored, co_await load_blob(kAccountKind, std::move(account)));
    if (!stored) co_return AccountSettings{};
    CO_ASSIGN(const AccountSettings settings, decode_account_settings(*stored));
    co_return settings.as_of(Reactor::current().clock().wall_now());
}

Task<Result<AccountSettings>> LocalStreamService::commit_throughput(std::string account,
                                                                    bool is_wanted) {
    if (account.empty()) account = kDefaultAccount;
    CO_ASSIGN(const AccountSettings before, co_await account_settings(account));
    const auto after = before.after_wish(is_wanted, Reactor::current().clock().wall_now());
    CO_TRY(co_await save_blob(kAccountKind, std::move(account), encode_account_settings(after)));
    co_return after;
}

}  // namespace tidemill

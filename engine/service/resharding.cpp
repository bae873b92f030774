// LocalStreamService: shards split, merged and scaled.
//
// A reshard is all or nothing. (1) The plan becomes durable with the stream, which is Updating from
// then on. (2) The children are made known to the log, and all parents are sealed at once. (3) The
// new layout is published: from here on writers reach the children. (4) It becomes durable. A crash
// before (1) leaves nothing; after it the next start does (2) to (4) again, which comes to the
// same: seals are idempotent, and ends are what the log says. So (3) need not wait for (4), and
// nobody can write for the time of one commit of the log only.
#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/catalog/reshard.h"
#include "engine/reactor/call_on.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/reshard_timing.h"
#include "engine/service/stream_rules.h"
#include "engine/telemetry/log.h"

namespace tidemill {
namespace timing = reshard_timing;

/// One reshard on its way, and who waits for it.
struct LocalStreamService::ReshardJob {
    std::string name;
    StreamUid stream;
    MonoTime began{};
    bool is_inevitable = false;  // a parent is or may be sealed
    std::optional<Result<StreamPtr>> outcome;
    Signal ended;
};

namespace {

/// The log has surely not closed the shard.
bool is_surely_open(const Error& error) {
    switch (error.code) {
        case Errc::Throttled:
        case Errc::NoSpace:
        case Errc::Unavailable:
        case Errc::NotFound:
        case Errc::Fenced:
            return true;
        default:
            return false;
    }
}

std::vector<ShardUid> parents_of(const StreamInfo& stream) {
    std::vector<ShardUid> parents;
    for (const std::uint32_t index : stream.reshard->closing)
        parents.push_back(stream.shard_by_index(index)->uid);
    return parents;
}

std::vector<ShardUid> steps_of(const Reshard& plan) {
    std::vector<ShardUid> steps;
    for (const auto& shard : plan.added)
        if (!shard.is_open()) steps.push_back(shard.uid);
    return steps;
}

std::vector<std::pair<ShardUid, ShardPolicy>> policies_of(const StreamInfo& stream) {
    std::vector<std::pair<ShardUid, ShardPolicy>> policies;
    for (const auto& shard : stream.shards)
        policies.emplace_back(shard.uid, policy_of(stream));
    return policies;
}

long long micros(std::chrono::nanoseconds time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

}  // namespace

Task<Result<StreamPtr>> LocalStreamService::split_shard(
    std::string stream, std::uint32_t shard_index, std::optional<uint128> first_key_of_second) {
    auto plan = [shard_index, first_key_of_second](const StreamInfo& now,
                                                   WallTime time) -> Result<Reshard> {
        const ShardInfo* shard = now.shard_by_index(shard_index);
        const uint128 key = first_key_of_second ? *first_key_of_second
                            : shard == nullptr  ? uint128{0}
                                                : middle_key(shard->range);
        return plan_split(now, shard_index, key, time);
    };
    co_return co_await reshard(std::move(stream), std::move(plan));
}

Task<Result<StreamPtr>> LocalStreamService::merge_shards(std::string stream,
                                                         std::uint32_t shard_index,
                                                         std::uint32_t adjacent_index) {
    auto plan = [shard_index, adjacent_index](const StreamInfo& now, WallTime time) {
        return plan_merge(now, shard_index, adjacent_index, time);
    };
    co_return co_await reshard(std::move(stream), std::move(plan));
}

Task<Result<StreamPtr>> LocalStreamService::scale_stream(std::string stream,
                                                         std::uint32_t shard_count) {
    CO_TRY(check_shard_count(shard_count));
    auto plan = [this, shard_count](const StreamInfo& now, WallTime time) -> Result<Reshard> {
        if (limits_ == nullptr) return plan_scale(now, shard_count, time);
        TRY(check_scale_step(now.open.size(), shard_count));
        ASSIGN(Reshard made, plan_scale(now, shard_count, time));
        if (!made.closing.empty()) TRY(count_change(DailyChange::Scale, now));
        return made;
    };
    co_return co_await reshard(std::move(stream), std::move(plan));
}

Task<Result<StreamPtr>> LocalStreamService::reshard(std::string name, Planner plan) {
    auto work = [this, name = std::move(name),
                 make = std::move(plan)]() mutable -> Task<Result<StreamPtr>> {
        return reshard_at_home(std::move(name), std::move(make));
    };
    co_return co_await call_on(home(), std::move(work));
}

Task<Result<StreamPtr>> LocalStreamService::reshard_at_home(std::string name, Planner plan) {
    if (gate_.is_closed()) co_return fail(Errc::Unavailable, "the broker is stopping");
    auto decide = [this, &plan](StreamInfo& stream, Catalog::UidSource& uids) -> Status {
        return decide_reshard(stream, uids, plan);
    };
    CO_ASSIGN(const StreamPtr decided,
              co_await catalog_.change(std::move(name), std::move(decide), nullptr));
    if (!decided->reshard) co_return decided;  // it has that layout already
    if (gate_.is_closed()) co_return fail(Errc::Unavailable, "the broker is stopping");
    const auto job = std::make_shared<ReshardJob>();
    job->name = decided->name;
    job->stream = decided->uid;
    job->began = home().clock().mono_now();
    home().spawn(gate_, carry_out(job));
    const MonoTime answer_by = job->began + timing::kAnswerWithin;
    while (!job->outcome) {
        if (co_await job->ended.wait_until(answer_by) || job->outcome) continue;
        co_return fail(Errc::Timeout,
                       fmt::format("Stream {} is still being changed; it stays UPDATING until its "
                                   "shards could be closed.",
                                   job->name));
    }
    co_return *job->outcome;
}

/// Puts the plan into the stream. The children that stay get uids in a row, so that they are spread
/// evenly over the lanes.
Status LocalStreamService::decide_reshard(StreamInfo& stream, Catalog::UidSource& uids,
                                          Planner& plan) {
    if (stream.status != StreamStatus::Active || stream.reshard)
        return fail(
            Errc::ResourceInUse,
            fmt::format("Stream {} is not ACTIVE: its shards are being changed.", stream.name));
    ASSIGN(Reshard made, plan(stream, home().clock().wall_now()));
    if (made.closing.empty()) return {};
    std::size_t open = stream.open.size() - made.closing.size();
    for (const auto& shard : made.added)
        open += shard.is_open() ? 1 : 0;
    TRY(check_more_shards(*catalog_.view(), open, made.added.size()));
    if (limits_ != nullptr && open > stream.open.size())
        TRY(check_shard_quota(open - stream.open.size(), *catalog_.view()));
    for (const bool is_step : {false, true})
        for (auto& shard : made.added)
            if (shard.is_open() != is_step) shard.uid = uids.take();
    stream.reshard = std::move(made);
    stream.status = StreamStatus::Updating;
    return {};
}

/// Tries until it is done, until nothing has come of it for a while, or until the service stops
/// (then the next start goes on).
Task<void> LocalStreamService::carry_out(std::shared_ptr<ReshardJob> job) {
    bool is_reported = false;
    ++reshard_stats_.under_way;
    while (!job->outcome) {
        auto seal = [this, job](StreamInfo& stream) { return seal_parents(stream, job.get()); };
        auto done = co_await catalog_.complete(job->name, std::move(seal));
        if (done || done.error().code == Errc::NotFound) {
            job->outcome = std::move(done);
            break;
        }
        const auto found = find_stream(job->name);
        if (found && (*found)->uid == job->stream && !(*found)->reshard) {
            co_await make_durable(job.get());
            break;
        }
        if (!std::exchange(is_reported, true))
            log::warn("reshard_delayed", {{"stream", job->name}, {"error", done.error()}});
        if (!job->is_inevitable &&
            home().clock().mono_now() >= job->began + timing::kWithdrawAfter) {
            co_await withdraw(job.get(), done.error());
            if (job->outcome) break;
        }
        if (!co_await gate_.sleep_until(home().clock().mono_now() + timing::kRetryEvery))
            job->outcome = fail(Errc::Unavailable, "the broker is stopping");
    }
    --reshard_stats_.under_way;
    job->ended.notify_all();
}

Task<Status> LocalStreamService::seal_parents(StreamInfo& stream, ReshardJob* job) {
    if (stream.uid != job->stream || !stream.reshard)
        co_return fail(Errc::NotFound, fmt::format("Stream {} not found.", job->name));
    const MonoTime began = home().clock().mono_now();
    std::vector<std::pair<ShardUid, ShardPolicy>> policies;
    for (const auto& shard : stream.reshard->added)
        policies.emplace_back(shard.uid, policy_of(stream));
    CO_TRY(co_await log_.configure_shards(std::move(policies)));
    for (const auto& step : co_await log_.seal_shards(steps_of(*stream.reshard), Ownership{}))
        if (!step) co_return std::unexpected(step.error());

    const MonoTime sealing = home().clock().mono_now();
    std::vector<Ordinal> ends;
    Status status;
    WallTime closed = home().clock().wall_now();
    for (const auto& sealed : co_await log_.seal_shards(parents_of(stream), Ownership{})) {
        if (sealed) {
            ends.push_back(sealed->end);
            closed = std::max(closed, sealed->last_arrival);
        } else {
            status = std::unexpected(sealed.error());
        }
        if (sealed || !is_surely_open(sealed.error())) job->is_inevitable = true;
    }
    CO_TRY(std::move(status));
    const auto added = stream.reshard->added.size();
    finish_reshard(stream, ends, closed);
    // More shards share max_bytes now; if this fails, the next start says so again.
    if (stream.max_bytes != 0) (void)co_await log_.configure_shards(policies_of(stream));
    const MonoTime sealed = home().clock().mono_now();
    ++reshard_stats_.done;
    reshard_stats_.shards_closed += ends.size();
    reshard_stats_.shards_added += added;
    reshard_stats_.sealing_micros += static_cast<std::uint64_t>(micros(sealed - sealing));
    log::info("reshard", {{"stream", stream.name},
                          {"closed", ends.size()},
                          {"added", added},
                          {"prepare_us", micros(sealing - began)},
                          {"seal_us", micros(sealed - sealing)}});
    co_return Status{};
}

/// The new layout is visible, and the store has refused it: again until it takes it.
Task<void> LocalStreamService::make_durable(ReshardJob* job) {
    const auto as_it_is = [](StreamInfo&, Catalog::UidSource&) -> Status { return {}; };
    while (!job->outcome) {
        auto kept = co_await catalog_.change(job->name, as_it_is, nullptr);
        if (kept || kept.error().code == Errc::NotFound)
            job->outcome = std::move(kept);
        else if (!co_await gate_.sleep_until(home().clock().mono_now() + timing::kRetryEvery))
            job->outcome = fail(Errc::Unavailable, "the broker is stopping");
    }
}

Task<void> LocalStreamService::withdraw(ReshardJob* job, Error why) {
    std::vector<std::pair<ShardUid, ShardPolicy>> never_used;
    auto undo = [job, &never_used](StreamInfo& stream, Catalog::UidSource&) -> Status {
        if (stream.uid != job->stream || !stream.reshard)
            return fail(Errc::NotFound, fmt::format("Stream {} not found.", job->name));
        for (const auto& shard : stream.reshard->added)
            never_used.emplace_back(shard.uid, ShardPolicy{.is_deleted = true});
        stream.reshard.reset();
        stream.status = StreamStatus::Active;
        return {};
    };
    const auto undone = co_await catalog_.change(job->name, std::move(undo), nullptr);
    if (!undone && undone.error().code != Errc::NotFound) co_return;
    if (undone) (void)co_await log_.configure_shards(std::move(never_used));
    ++reshard_stats_.withdrawn;
    job->outcome = std::unexpected(std::move(why));
}

/// With durability `memory` a power loss may have taken seals away that the catalog knows of: made
/// again, or a late writer would be let in, and nobody would come to the children. Changes nothing
/// otherwise.
Task<void> LocalStreamService::close_closed_shards() {
    std::vector<ShardUid> closed;
    for (const auto& [name, stream] : catalog_.view()->streams)
        for (const auto& shard : stream->shards)
            if (!shard.is_open()) closed.push_back(shard.uid);
    for (const auto& sealed : co_await log_.seal_shards(std::move(closed), Ownership{}))
        if (!sealed) {
            log::warn("shards_not_closed", {{"error", sealed.error()}});
            break;
        }
}

/// What a crash has left half done: begun anew, and waited for a little, so that most starts
/// publish whole streams.
Task<void> LocalStreamService::resume_reshards() {
    std::vector<std::shared_ptr<ReshardJob>> jobs;
    for (const auto& [name, stream] : catalog_.view()->streams) {
        if (!stream->reshard) continue;
        const auto job = jobs.emplace_back(std::make_shared<ReshardJob>());
        job->name = name;
        job->stream = stream->uid;
        job->began = home().clock().mono_now();
        job->is_inevitable = true;
        home().spawn(gate_, carry_out(job));
    }
    const MonoTime until = home().clock().mono_now() + timing::kWithdrawAfter;
    for (const auto& job : jobs) {
        while (!job->outcome && co_await job->ended.wait_until(until)) {
        }
        log::info("reshard_resumed",
                  {{"stream", job->name}, {"is_done", job->outcome && job->outcome->has_value()}});
    }
}

}  // namespace tidemill

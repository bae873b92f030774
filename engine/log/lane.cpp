#include "engine/log/lane.h"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

namespace tidemill {

/// One append that a coroutine waits for.
struct Lane::WaitingOp : AppendOp {
    Signal ended;
    bool is_ended = false;
};

namespace {

constexpr auto kReopenEvery = 100ms;

/// Counts a call among the lane's tasks while it runs.
class InGate {
 public:
    explicit InGate(Gate& gate) : gate_(gate) { gate_.enter(); }
    InGate(const InGate&) = delete;
    InGate& operator=(const InGate&) = delete;
    ~InGate() { gate_.leave(); }

 private:
    Gate& gate_;
};

class Counted {
 public:
    explicit Counted(std::uint32_t& count) : count_(count) { ++count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --count_; }

 private:
    std::uint32_t& count_;
};

std::unexpected<Error> stopping() { return fail(Errc::Unavailable, "the log is stopping"); }

}  // namespace

Lane::Lane(Reactor& reactor, const LogConfig& config, SpaceBudget& space, std::uint64_t log_id,
           LaneId id, std::uint64_t seed)
    : parts_(reactor, config, space, log_id, id, seed),
      writer_(parts_, *this),
      reader_(parts_),
      retention_(parts_, writer_),
      scrub_(parts_, seed) {
    writer_.on_no_space([this](std::uint64_t bytes) { return retention_.make_room(bytes); });
    writer_.on_sealed([this] { parts_.reactor.spawn(parts_.gate, let_go_after_seal()); });
}

Lane::~Lane() { parts_.cache.clear(); }

Task<Status> Lane::open() {
    CO_ASSIGN(const auto lane, co_await recover_lane(parts_));
    writer_.start(lane.last_commit, lane.last_check, lane.last_arrival_ms);
    is_open_ = true;
    if (lane.is_torn)
        parts_.report(
            fmt::format("an unacknowledged end behind commit {} was dropped", lane.last_commit));
    parts_.reactor.spawn(parts_.gate, keep());
    parts_.reactor.spawn(parts_.gate, scrub_.run());
    co_return Status{};
}

Task<void> Lane::stop() {
    is_stopping_ = true;
    retention_.interrupt();
    writer_.stop();
    parts_.reactor.request_turn_end(*this);
    while (is_open_ && !writer_.is_idle() && !writer_.is_broken() && !is_reopening_)
        co_await progress_.wait_until(MonoTime::max());
    progress_.notify_all();
    parts_.shards.each([](std::uint32_t, ShardState& state) {
        if (state.changed) state.changed->notify_all();
    });
    // Tasks in the gate may wait for the end of what a failed write has left unanswered.
    while (is_reopening_ || (writer_.is_broken() && !writer_.is_quiet()))
        co_await progress_.wait_until(MonoTime::max());
    if (writer_.is_broken()) writer_.give_up();
    co_await parts_.gate.close();
    if (!writer_.is_broken()) co_await writer_.sync_written();
    if (writer_.is_broken()) {
        writer_.give_up();
    } else if (auto* segment = writer_.segment(); segment != nullptr) {
        const auto sealed = co_await parts_.segments.seal_segment(
            *segment, parts_.sealed_state(), writer_.last_number(), writer_.last_check(), false,
            true);
        if (!sealed) parts_.report("no seal at the stop: " + sealed.error().to_string());
    }
    // The last `done`s are called from a turn's end like all others; after it the reactor holds no
    // hook of ours.
    do {
        parts_.reactor.request_turn_end(*this);
        (void)co_await progress_.wait_until(MonoTime::max());
    } while (writer_.has_undelivered());
    is_open_ = false;
}

void Lane::at_turn_end() {
    writer_.pump();
    writer_.deliver();
    wake_waiters();
    writer_.pump();  // what `done` has submitted need not wait for the next turn
    if (writer_.is_broken() && !is_reopening_ && !is_stopping_) {
        is_reopening_ = true;
        parts_.reactor.spawn(parts_.gate, reopen());
    }
    // While stopping nobody reopens it: whoever waits for a commit is told, so that the gate
    // closes.
    if (writer_.is_broken() && is_stopping_ && !is_reopening_ && writer_.is_quiet()) {
        writer_.give_up();
        writer_.deliver();
    }
    if (progress_.has_waiters()) progress_.notify_all();
}

void Lane::wake_waiters() {
    for (const auto shard : writer_.take_advanced())
        if (auto* state = parts_.shards.find(shard); state != nullptr && state->changed)
            state->changed->notify_all();
}

void Lane::configure_shard(ShardUid shard, const ShardPolicy& policy) {
    auto& state = parts_.shards.get(shard.value);
    const auto retention = policy.retention.count();
    if (state.is_known && state.retention_ms == retention &&
        state.is_deleted == policy.is_deleted && state.max_bytes == policy.max_bytes)
        return;
    // What has expired once does not come back.
    if (state.is_known && retention > state.retention_ms)
        state.floor_arrival_ms =
            std::max(state.floor_arrival_ms, to_millis(parts_.wall_now()) - state.retention_ms -
                                                 parts_.expiry_lag_ms(state.retention_ms));
    state.is_known = true;
    state.retention_ms = retention;
    state.is_deleted = policy.is_deleted;
    state.max_bytes = policy.max_bytes;
    state.trim_arrival_ms = -1;
    if (policy.is_deleted) parts_.producers.forget(shard);
    retention_.set_bound(shard, policy.is_deleted ? 0 : policy.max_bytes);
    retention_.policy_changed();
    if (policy.is_deleted && state.changed) state.changed->notify_all();
}

void Lane::drop_unconfigured_shards(ShardUid below) {
    std::size_t foreign = 0;
    parts_.shards.each([&](std::uint32_t shard, ShardState& state) {
        if (!state.is_known && shard >= below.value) ++foreign;
    });
    if (foreign > 0)
        parts_.report(
            fmt::format("{} shards in the log are of streams that the catalog has never "
                        "had; their records are kept",
                        foreign));
    parts_.shards.drop_unconfigured(below.value);
    retention_.policy_changed();
}

Result<ShardState*> Lane::existing(ShardUid shard) {
    auto* state = parts_.shards.find(shard);
    if (state == nullptr || !state->is_known || state->is_deleted)
        return fail(Errc::NotFound, fmt::format("shard {} does not exist", shard));
    return state;
}

Status Lane::open_writer(ShardUid shard, Ownership ownership) {
    ASSIGN(auto* state, existing(shard));
    if (ownership.epoch < state->epoch)
        return fail(Errc::Fenced,
                    fmt::format("shard {} is owned under epoch {}", shard, state->epoch));
    state->epoch = ownership.epoch;
    return {};
}

Task<Result<ReadResult>> Lane::read(ShardUid shard, Ordinal from, ReadLimits limits) {
    if (parts_.gate.is_closed()) co_return stopping();
    const InGate inside(parts_.gate);
    while (is_reopening_ && !is_stopping_)
        co_await progress_.wait_until(MonoTime::max());
    if (is_stopping_) co_return stopping();
    const Counted reading(readers_);
    co_return co_await reader_.read(shard, from, limits);
}

Task<Result<TailInfo>> Lane::tail(ShardUid shard) {
    if (parts_.gate.is_closed()) co_return stopping();
    const InGate inside(parts_.gate);
    while (is_reopening_ && !is_stopping_)
        co_await progress_.wait_until(MonoTime::max());
    if (is_stopping_) co_return stopping();
    const Counted reading(readers_);
    CO_TRY(existing(shard));
    CO_TRY(co_await reader_.refresh_trim(shard));
    CO_ASSIGN(const auto* state, existing(shard));
    co_return state->tail();
}

Task<Result<Ordinal>> Lane::seek_time(ShardUid shard, WallTime time) {
    if (parts_.gate.is_closed()) co_return stopping();
    const InGate inside(parts_.gate);
    while (is_reopening_ && !is_stopping_)
        co_await progress_.wait_until(MonoTime::max());
    if (is_stopping_) co_return stopping();
    const Counted reading(readers_);
    CO_TRY(existing(shard));
    CO_TRY(co_await reader_.refresh_trim(shard));
    CO_ASSIGN(const auto found, co_await reader_.seek_time(shard, to_millis(time)));
    CO_ASSIGN(const auto* state, existing(shard));
    co_return std::max(found.ordinal, std::min(state->trim, state->end));
}

Task<Result<TailInfo>> Lane::wait_tail(ShardUid shard, Ordinal beyond, MonoTime deadline) {
    if (parts_.gate.is_closed()) co_return stopping();
    const InGate inside(parts_.gate);
    const auto interrupts = interrupts_;
    while (true) {
        CO_ASSIGN(auto* state, existing(shard));
        if (is_stopping_) co_return stopping();
        if (state->end > beyond || state->is_sealed || interrupts_ != interrupts ||
            parts_.mono_now() >= deadline)
            co_return state->tail();
        if (!state->changed) state->changed = std::make_unique<Signal>();
        (void)co_await state->changed->wait_until(deadline);
    }
}

void Lane::interrupt_waits() {
    ++interrupts_;
    parts_.shards.each([](std::uint32_t, ShardState& state) {
        if (state.changed) state.changed->notify_all();
    });
}

void Lane::begin_control(WaitingOp& op, ShardUid shard, Control what, std::uint64_t value) {
    op.shard = shard;
    op.done = [](AppendOp& ended) noexcept {
        auto& self = static_cast<WaitingOp&>(ended);
        self.is_ended = true;
        self.ended.notify_all();
    };
    writer_.submit_control(op, what, value);
}

Task<Status> Lane::control(ShardUid shard, Control what, std::uint64_t value) {
    WaitingOp waiting;
    begin_control(waiting, shard, what, value);
    while (!waiting.is_ended)
        co_await waiting.ended.wait_until(MonoTime::max());
    if (waiting.result.outcome != Outcome::Committed)
        co_return std::unexpected(std::move(waiting.result.error));
    co_return Status{};
}

Task<Result<ProducerPosition>> Lane::producer_position(ShardUid shard, std::uint64_t producer_id) {
    if (parts_.gate.is_closed()) co_return stopping();
    const InGate inside(parts_.gate);
    while ((is_reopening_ || parts_.producers.is_busy(shard, producer_id)) && !is_stopping_)
        co_await progress_.wait_until(MonoTime::max());
    if (is_stopping_) co_return stopping();
    CO_TRY(existing(shard));
    co_return parts_.producers.position(shard, producer_id);
}

Task<std::vector<Result<TailInfo>>> Lane::seal_shards(std::vector<ShardUid> shards,
                                                      Ownership ownership) {
    std::vector<Result<TailInfo>> sealed(shards.size(), stopping());
    if (parts_.gate.is_closed()) co_return sealed;
    const InGate inside(parts_.gate);
    // All of them go into the same commits.
    std::deque<WaitingOp> seals;
    std::vector<WaitingOp*> seal_of(shards.size(), nullptr);
    for (std::size_t i = 0; i < shards.size(); ++i) {
        if (const auto owned = open_writer(shards[i], ownership); !owned) {
            sealed[i] = std::unexpected(owned.error());
            continue;
        }
        const auto* state = parts_.shards.find(shards[i]);
        if (state->is_sealed) {
            sealed[i] = state->tail();
            continue;
        }
        seal_of[i] = &seals.emplace_back();
        begin_control(*seal_of[i], shards[i], Control::Seal, state->next);
    }
    for (std::size_t i = 0; i < shards.size(); ++i) {
        if (seal_of[i] == nullptr) continue;
        while (!seal_of[i]->is_ended)
            co_await seal_of[i]->ended.wait_until(MonoTime::max());
        if (seal_of[i]->result.outcome == Outcome::Committed)
            sealed[i] = parts_.shards.find(shards[i])->tail();
        else
            sealed[i] = std::unexpected(std::move(seal_of[i]->result.error));
    }
    co_return sealed;
}

Task<Status> Lane::trim(ShardUid shard, Ordinal before) {
    if (parts_.gate.is_closed()) co_return stopping();
    const InGate inside(parts_.gate);
    CO_ASSIGN(const auto* state, existing(shard));
    if (before <= state->trim_in_log) co_return Status{};
    CO_TRY(co_await control(shard, Control::Trim, std::min(before, state->end)));
    retention_.policy_changed();
    co_return Status{};
}

Task<void> Lane::keep() {
    while (co_await parts_.gate.sleep_until(parts_.mono_now() + parts_.config.tick)) {
        parts_.reactor.request_turn_end(*this);
        if (is_reopening_ || is_stopping_) continue;
        co_await writer_.sync_written();
        parts_.producers.forget_idle(to_millis(parts_.wall_now()));
        if (is_reopening_ || is_stopping_) continue;
        parts_.segments.spares().note_tick();
        const Counted reading(readers_);
        co_await retention_.round();
    }
}

Task<void> Lane::let_go_after_seal() {
    if (is_reopening_ || is_stopping_) co_return;
    const Counted reading(readers_);
    co_await retention_.segment_sealed();
}

Task<void> Lane::reopen() {
    ++parts_.stats.reopened;
    retention_.interrupt();
    while (!is_stopping_) {
        if (!writer_.is_quiet()) {
            (void)co_await parts_.gate.sleep_until(parts_.mono_now() + 1ms);
            continue;
        }
        // First, because those who hold on to segments may wait for a commit themselves.
        writer_.give_up();
        writer_.deliver();
        if (readers_ > 0 || retention_.is_busy() || parts_.segments.has_pins()) {
            (void)co_await parts_.gate.sleep_until(parts_.mono_now() + 1ms);
            continue;
        }
        parts_.cache.clear();
        reader_.forget();
        retention_.forget();
        const auto lane = co_await recover_lane(parts_);
        if (lane) {
            writer_.start(lane->last_commit, lane->last_check, lane->last_arrival_ms);
            parts_.report("open again");
            break;
        }
        parts_.report("cannot reopen yet: " + lane.error().to_string());
        (void)co_await parts_.gate.sleep_until(parts_.mono_now() + kReopenEvery);
    }
    if (!is_stopping_) retention_.resume();
    is_reopening_ = false;
    progress_.notify_all();
    parts_.shards.each([](std::uint32_t, ShardState& state) {
        if (state.changed) state.changed->notify_all();
    });
    parts_.reactor.request_turn_end(*this);
}

LogStats Lane::stats() const {
    auto stats = parts_.stats;
    auto& segments = const_cast<Lane*>(this)->parts_.segments;
    stats.segments = segments.live().size();
    stats.segment_bytes = segments.bytes_on_disk();
    stats.spare_files = segments.spare_count();
    retention_.fill_stats(stats);
    stats.cache_bytes = parts_.cache.bytes();
    stats.pending_bytes = writer_.pending_bytes();
    stats.shards = parts_.shards.size();
    stats.producers = parts_.producers.size();
    stats.description = parts_.reactor.disk().description() +
                        (parts_.config.durability == LogDurability::Disk ? "; durability disk"
                                                                         : "; durability memory");
    return stats;
}

}  // namespace tidemill

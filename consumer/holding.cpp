#include <algorithm>
#include <sys/eventfd.h>

#include <fmt/format.h>
#include <unistd.h>

#include "consumer/consumer_state.h"
#include "producer/stream_layout.h"

namespace tidemill::client {

// The keeping half of the consumer's thread: which shards are held, and their leases.

namespace {

/// The children of a shard that has ended are looked for so often until they are there.
constexpr auto kChildrenEvery = 20ms;

std::string default_worker() {
    char host[256] = "host";
    ::gethostname(host, sizeof host - 1);
    static std::atomic<int> count{0};
    return fmt::format("{}-{}-{}", host, ::getpid(), ++count);
}

}  // namespace

Consumer::State::State(ConsumerOptions wanted, Endpoint where)
    : options(std::move(wanted)),
      endpoint(std::move(where)),
      worker(options.worker.empty() ? default_worker() : options.worker),
      control(endpoint, options.request_timeout, options.application, worker) {
    wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

Consumer::State::~State() { ::close(wake_fd); }

void Consumer::State::run() {
    MonoTime sync_at{};
    int failed = 0;
    for (;;) {
        {
            const std::lock_guard lock(mutex);
            if (is_closing) return;
        }
        const MonoTime now = std::chrono::steady_clock::now();
        if (must_sync.exchange(false) || now >= sync_at) {
            sync_at = now + options.sync_interval;
            const Status status = sync();
            if (!status && status.error().code == Errc::NotFound) {
                const std::lock_guard lock(mutex);
                fail_with(status.error());
            }
            if (status && awaits_children)
                sync_at = now + std::min(kChildrenEvery, options.sync_interval);
        }
        Status status;
        if (!channel.is_open() && now >= connect_at)
            status = channel.open(endpoint, now + options.connect_timeout);
        if (status && channel.is_open()) status = exchange();
        if (!status) {
            lose_connection();
            connect_at = now + std::min(20ms * (1 << std::min(failed++, 6)), 1000ms);
        } else if (channel.is_open()) {
            failed = 0;
        }
        wait(channel.is_open() ? sync_at : std::min(sync_at, connect_at));
    }
}

Status Consumer::State::sync() {
    const std::lock_guard control_lock(control_mutex);
    ASSIGN(const auto stream, control.describe(options.stream));
    stream_uid = stream.uid;
    // A shard ends a moment before the stream shows what it became.
    awaits_children = stream.status == "updating";
    return options.application.empty() ? sync_alone(stream) : sync_leases(stream);
}

Status Consumer::State::sync_alone(const StreamDescription& stream) {
    std::vector<Lease> done;
    {
        const std::lock_guard lock(mutex);
        for (const auto& [index, is_done] : finished) {
            done.emplace_back();
            done.back().shard_index = index;
            done.back().is_finished = true;
        }
    }
    const Lineage lineage(stream.shards, done);
    // Whoever begins at the tip has no use for what is closed by then. Shards that come later are
    // made from those read, and all of them is read.
    const bool is_at_tip = is_first_look && options.start.kind == StartPosition::Kind::Latest;
    for (const auto& shard : stream.shards) {
        {
            const std::lock_guard lock(mutex);
            if (held.contains(shard.index) || finished.contains(shard.index)) continue;
            if (is_at_tip && !shard.is_open()) {
                finished[shard.index] = true;
                continue;
            }
        }
        if (!is_at_tip && !lineage.is_ready(shard)) continue;
        std::uint64_t from = 0;
        if (is_first_look || options.start.kind == StartPosition::Kind::AtTime) {
            ASSIGN(from, start_of(shard));
        }
        hold(shard, {}, from);
    }
    is_first_look = false;
    return {};
}

Status Consumer::State::sync_leases(const StreamDescription& stream) {
    TRY(control.acquire(stream.uid, presence_index(worker), options.lease_duration));
    ASSIGN(auto leases, control.leases(stream.uid));
    if (options.start.kind == StartPosition::Kind::Latest)
        for (auto& passed : passed_over(stream.shards, leases.all))
            leases.all.push_back(std::move(passed));
    const LeasePlan plan = plan_leases(stream.shards, leases.all, worker, leases.server_time);
    for (const std::uint32_t index : plan.give_back) {
        TRY(control.release(stream.uid, index));
        let_go(index, true);
    }
    std::vector<std::uint32_t> wanted = plan.keep;
    wanted.insert(wanted.end(), plan.take.begin(), plan.take.end());
    for (const std::uint32_t index : wanted) {
        auto lease = acquire(index);
        if (!lease && lease.error().code == Errc::Fenced) {
            let_go(index, true);
            continue;
        }
        if (!lease) return std::unexpected(lease.error());
        {
            const std::lock_guard lock(mutex);
            if (held.contains(index)) continue;
        }
        const auto shard = std::ranges::find(stream.shards, index, &ShardDescription::index);
        const bool is_begun =
            std::ranges::find(leases.all, index, &Lease::shard_index) != leases.all.end();
        std::uint64_t from = lease->ordinal;
        if (!is_begun) {
            ASSIGN(from, start_of(*shard, stream, leases.all));
        }
        lease->ordinal = from;
        if (from == kSkipped) {
            lease->is_finished = true;
            TRY(control.save(stream.uid, *lease));
            must_sync = true;
            continue;
        }
        // Where a fresh application begins is kept at once, so that a restart begins there too.
        if (from != 0) TRY(control.save(stream.uid, *lease));
        hold(*shard, *lease, from);
    }
    // A lease that is neither kept nor finished was lost while this worker slept.
    std::vector<std::uint32_t> lost;
    {
        const std::lock_guard lock(mutex);
        for (const auto& [index, shard] : held)
            if (std::ranges::find(wanted, index) == wanted.end()) lost.push_back(index);
    }
    for (const std::uint32_t index : lost) {
        const auto lease = std::ranges::find(leases.all, index, &Lease::shard_index);
        const bool is_done = lease != leases.all.end() && lease->is_finished;
        let_go(index, !is_done);
        // The answer to its last checkpoint was lost; who asks again is told that it is kept.
        if (!is_done || lease->owner != worker) continue;
        const std::lock_guard lock(mutex);
        finished[index] = true;
    }
    return {};
}

/// Takes or renews. A renewal whose answer is lost may have given the lease another counter: what
/// is held until the next answer says would be refused as another's.
Result<Lease> Consumer::State::acquire(std::uint32_t shard_index) {
    auto lease = control.acquire(stream_uid, shard_index, options.lease_duration);
    const std::lock_guard lock(mutex);
    if (const auto found = held.find(shard_index); found != held.end()) {
        found->second.is_lease_in_doubt = !lease;
        if (lease) found->second.lease = *lease;
    }
    return lease;
}

/// Where an application begins in a shard that nobody of it has held; kSkipped: not at all.
Result<std::uint64_t> Consumer::State::start_of(const ShardDescription& shard,
                                                const StreamDescription& stream,
                                                const std::vector<Lease>& leases) {
    if (options.start.kind != StartPosition::Kind::Latest) return start_of(shard);
    // Made from a shard that was read: everything in it is newer than where the application began.
    for (const auto& parent : {shard.parent, shard.adjacent_parent}) {
        if (!parent || std::ranges::find(stream.shards, *parent, &ShardDescription::index) ==
                           stream.shards.end())
            continue;
        const auto lease = std::ranges::find(leases, *parent, &Lease::shard_index);
        if (lease != leases.end() && lease->ordinal != kSkipped) return 0;
    }
    return shard.is_open() ? start_of(shard) : kSkipped;
}

Result<std::uint64_t> Consumer::State::start_of(const ShardDescription& shard) {
    switch (options.start.kind) {
        case StartPosition::Kind::Oldest:
            return 0;
        case StartPosition::Kind::Latest:
            return control.tail_ordinal(shard.uid);
        case StartPosition::Kind::AtTime:
            return control.first_ordinal(
                shard.uid, std::chrono::floor<std::chrono::milliseconds>(options.start.time)
                               .time_since_epoch()
                               .count());
    }
    return 0;
}

void Consumer::State::hold(const ShardDescription& shard, Lease lease, std::uint64_t from) {
    const std::lock_guard lock(mutex);
    HeldShard& mine = held[shard.index];
    mine.shard = shard;
    mine.lease = std::move(lease);
    mine.from = from;
    metrics.shards_held = held.size();
}

void Consumer::State::let_go(std::uint32_t shard_index, bool is_lost) {
    const std::lock_guard lock(mutex);
    const auto found = held.find(shard_index);
    if (found == held.end()) return;
    if (found->second.subscription != 0) unwanted.push_back(found->second.subscription);
    held.erase(found);
    metrics.shards_held = held.size();
    if (!is_lost) return;
    std::erase_if(queue,
                  [&](const Queued& queued) { return queued.delivery.shard_index == shard_index; });
    ++metrics.leases_lost;
    Delivery lost;
    lost.kind = Delivery::Kind::LeaseLost;
    lost.shard_index = shard_index;
    queue.push_back({std::move(lost), 0, 0, 0});
    delivered.notify_one();
}

Completion Consumer::State::save(std::uint32_t shard_index, std::uint64_t next_ordinal,
                                 bool is_finished) {
    const std::lock_guard control_lock(control_mutex);
    Lease lease;
    bool is_in_doubt = false;
    {
        const std::lock_guard lock(mutex);
        const auto found = held.find(shard_index);
        if (found == held.end() && is_finished && finished.contains(shard_index)) return Nothing{};
        if (found == held.end())
            return Failure{"fenced",
                           fmt::format("{}: {} is not this worker's any more", endpoint.to_string(),
                                       shard_id_of(shard_index)),
                           false};
        if (options.application.empty()) {
            if (is_finished) {
                finished[shard_index] = true;
                held.erase(found);
                must_sync = true;
            }
        } else {
            lease = found->second.lease;
            is_in_doubt = found->second.is_lease_in_doubt;
        }
    }
    if (is_in_doubt) {
        auto renewed = acquire(shard_index);
        if (!renewed && renewed.error().code == Errc::Fenced) let_go(shard_index, true);
        if (!renewed) return failure_of(renewed.error());
        lease = std::move(*renewed);
    }
    if (!options.application.empty()) {
        lease.ordinal = next_ordinal;
        lease.is_finished = is_finished;
        if (const Status saved = control.save(stream_uid, lease); !saved) {
            if (saved.error().code == Errc::Fenced) let_go(shard_index, true);
            return failure_of(saved.error());
        }
        if (is_finished) {
            let_go(shard_index, false);
            must_sync = true;
        }
    }
    if (is_finished) wake();
    return Nothing{};
}

void Consumer::State::release_all() {
    if (options.application.empty()) return;
    const std::lock_guard control_lock(control_mutex);
    for (const auto& [index, shard] : held)
        if (!control.release(stream_uid, index)) return;  // they run out by themselves
    [[maybe_unused]] const auto ignored = control.release(stream_uid, presence_index(worker));
}

}  // namespace tidemill::client

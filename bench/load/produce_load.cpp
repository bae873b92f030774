#include "bench/load/produce_load.h"

#include <fmt/format.h>

namespace tidemill::bench {
namespace {

constexpr std::size_t kPrebuiltBatches = 16;
constexpr auto kStallLimit = 20s;
constexpr auto kThrottlePause = 1ms;

}  // namespace

ProduceLoad::ProduceLoad(const BenchOptions& options, const LoadTarget& target, bool stamps)
    : options_(options),
      target_(target),
      stamps_(stamps),
      compressor_(options.compression),
      shard_records_(target.shards.size()) {
    for (std::size_t i = 0; i < kPrebuiltBatches; ++i)
        batches_.push_back(build_batch(options, i + 1));
}

Status ProduceLoad::open(SocketWait& sockets, std::uint32_t first_index) {
    first_index_ = first_index;
    for (std::uint32_t i = 0; i < options_.connections; ++i) {
        auto peer = std::make_unique<Peer>();
        TRY(peer->connection.open(options_.connect));
        const std::uint32_t allowed = peer->connection.channel().greeting().requests_in_flight_max;
        const std::uint32_t slots =
            std::min(options_.window / options_.batch, allowed == 0 ? UINT32_MAX : allowed);
        peer->slots.resize(slots);
        peer->allowed = slots;
        for (std::uint32_t slot = slots; slot-- > 0;)
            peer->free_slots.push_back(slot);
        peer->next_shard = i % target_.shards.size();
        sockets.add(peer->connection.fd(), first_index + i);
        peers_.push_back(std::move(peer));
    }
    return {};
}

MonoTime ProduceLoad::due(std::uint64_t batch) const {
    const double seconds = static_cast<double>(batch * options_.batch) / options_.rate;
    return start_ + std::chrono::duration_cast<std::chrono::nanoseconds>(
                        std::chrono::duration<double>(seconds));
}

bool ProduceLoad::is_all_sent(MonoTime now) const {
    if (options_.records != 0) return sent_batches_ * options_.batch >= options_.records;
    return std::chrono::duration<double>(now - start_).count() >= options_.seconds;
}

void ProduceLoad::send_one(Peer& peer, MonoTime since) {
    const std::uint32_t id = peer.free_slots.back();
    peer.free_slots.pop_back();
    Slot& slot = peer.slots[id];
    slot.since = since;
    slot.shard_position = peer.next_shard;
    Bytes batch = batches_[sent_batches_ % batches_.size()];
    if (stamps_) {
        if (slot.stamped.is_empty())
            slot.stamped = StampedBatch(batch, !options_.sql_output.empty());
        batch = slot.stamped.stamp(since.time_since_epoch().count());
    }
    batch = compressor_.compress(RecordBatchView::trusted(batch), slot.compressed).bytes();
    slot.batch = batch;
    peer.connection.produce(id, target_.shards[peer.next_shard], batch);
    ++peer.unanswered;
    peer.next_shard = (peer.next_shard + 1) % target_.shards.size();
    ++sent_batches_;
    ++in_flight_;
}

void ProduceLoad::send_again(Peer& peer, MonoTime now) {
    if (peer.again_at > now) return;
    while (!peer.throttled_slots.empty() && peer.unanswered < peer.allowed) {
        const std::uint32_t id = peer.throttled_slots.front();
        peer.throttled_slots.pop_front();
        const Slot& slot = peer.slots[id];
        peer.connection.produce(id, target_.shards[slot.shard_position], slot.batch);
        ++peer.unanswered;
    }
}

void ProduceLoad::slow_down(Peer& peer, std::uint32_t slot, MonoTime now) {
    // Refusals that arrive together are one hint.
    if (now > peer.again_at)
        peer.allowed = std::max<std::size_t>(1, std::min(peer.allowed, peer.unanswered + 1) / 2);
    peer.again_at = now + kThrottlePause;
    peer.throttled_slots.push_back(slot);
    ++throttled_;
}

Result<MonoTime> ProduceLoad::send(SocketWait& sockets, MonoTime now) {
    // Beyond this many unsent frames more would only wait in our own memory.
    constexpr std::size_t kUnsentMax = 32;
    MonoTime next = now + 100ms;
    if (options_.rate > 0) {
        for (; !is_all_sent(now) && due(sent_batches_) <= now;) {
            Peer& peer = *peers_[sent_batches_ % peers_.size()];
            if (!may_send(peer)) break;  // late; the intended time stands
            send_one(peer, due(sent_batches_));
        }
        if (!is_all_sent(now)) next = std::min(next, std::max(now, due(sent_batches_)));
    }
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        Peer& peer = *peers_[i];
        if (!peer.throttled_slots.empty()) {
            send_again(peer, now);
            if (!peer.throttled_slots.empty() && peer.again_at > now)
                next = std::min(next, peer.again_at);
        }
        do {
            while (options_.rate == 0 && may_send(peer) && !is_all_sent(now) &&
                   peer.connection.unsent_frames() < kUnsentMax)
                send_one(peer, now);
            TRY(peer.connection.flush());
        } while (options_.rate == 0 && !peer.connection.wants_write() && may_send(peer) &&
                 !is_all_sent(now));
        sockets.want_write(peer.connection.fd(), first_index_ + static_cast<std::uint32_t>(i),
                           peer.connection.wants_write());
    }
    if (in_flight_ != 0 && now - last_progress_ > kStallLimit)
        return fail(Errc::Timeout, fmt::format("{}: nothing acknowledged for {} s",
                                               options_.connect, kStallLimit / 1s));
    if (in_flight_ == 0) last_progress_ = now;
    return next;
}

Status ProduceLoad::receive(std::uint32_t connection) {
    Peer& peer = *peers_[connection - first_index_];
    auto& channel = peer.connection.channel();
    ASSIGN(const bool has_read, channel.fill());
    if (!has_read) return {};
    const MonoTime now = std::chrono::steady_clock::now();
    last_progress_ = now;
    for (;;) {
        ASSIGN(const auto frame, channel.next());
        if (!frame) return {};
        const std::uint32_t id = frame->header.request_id;
        if (id >= peer.slots.size())
            return fail(Errc::Corrupt, "an answer to a request that was never sent");
        --peer.unanswered;
        if (frame->is_error()) {
            const Error error = client::error_of(*frame, channel.endpoint());
            if (error.code == Errc::ShardClosed)
                return fail(
                    error.code,
                    fmt::format("{}; this load writes to the shards that it began with: use "
                                "a stream that is not on demand, or bench put-records",
                                error.message));
            if (error.code != Errc::Throttled) return std::unexpected(error);
            slow_down(peer, id, now);
            continue;
        }
        const auto waited = std::max<std::chrono::nanoseconds>(now - peer.slots[id].since, 0ns);
        for (std::uint32_t i = 0; i < options_.batch; ++i)
            latency_.record(static_cast<std::uint64_t>(waited.count()));
        peer.free_slots.push_back(id);
        peer.allowed = std::min(peer.allowed + 1, peer.slots.size());
        acknowledged_ += options_.batch;
        shard_records_[peer.slots[id].shard_position] += options_.batch;
        --in_flight_;
    }
}

namespace {

Status turn(ProduceLoad& load, SocketWait& sockets, MonoTime now) {
    ASSIGN(const MonoTime next, load.send(sockets, now));
    for (const std::uint32_t index : sockets.wait_until(next))
        TRY(load.receive(index));
    return {};
}

}  // namespace

Result<BenchResult> run_produce(const BenchOptions& wanted) {
    ASSIGN(const BenchOptions options, checked(wanted));
    ASSIGN(const LoadTarget target, prepare_target(options));
    SocketWait sockets;
    ProduceLoad load(options, target, false);
    TRY(load.open(sockets, 0));
    const MonoTime start = std::chrono::steady_clock::now();
    load.start(start);
    MonoTime now = start;
    BenchResult result;
    while (!load.is_all_sent(now) || !load.is_idle()) {
        const Status going = turn(load, sockets, now);
        now = std::chrono::steady_clock::now();
        if (going) continue;
        if (!options.until_broken || going.error().code != Errc::Unavailable)
            return std::unexpected(going.error());
        result.is_broken = true;
        break;
    }
    result.kind = "produce";
    result.records = load.acknowledged();
    result.bytes = result.records * options.record_bytes;
    result.elapsed_seconds = std::chrono::duration<double>(now - start).count();
    result.latency_ns = load.latency_ns();
    result.shard_records = load.shard_records();
    result.throttled_batches = load.throttled();
    result.durability = target.durability;
    result.shards = static_cast<std::uint32_t>(target.shards.size());
    result.options = options;
    return result;
}

}  // namespace tidemill::bench

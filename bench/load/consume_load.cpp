#include "bench/load/consume_load.h"

#include <fmt/format.h>

#include "bench/load/stamped_batch.h"

namespace tidemill::bench {
namespace {

constexpr std::uint64_t kCreditBytes = 4_MiB;  // of one shard
constexpr auto kStallLimit = 20s;
constexpr std::uint64_t kFillBytes = 96_MiB;  // fits the broker's tail cache with its defaults

}  // namespace

Status ConsumeLoad::open(SocketWait& sockets, std::uint32_t first_index,
                         const std::vector<std::uint64_t>& from) {
    first_index_ = first_index;
    ASSIGN(const auto endpoint, client::Endpoint::parse(options_.connect));
    const auto count = std::min<std::size_t>(options_.connections, target_.shards.size());
    for (std::size_t i = 0; i < count; ++i) {
        auto peer = std::make_unique<Peer>();
        TRY(peer->channel.open(endpoint, std::chrono::steady_clock::now() + 10s));
        sockets.add(peer->channel.fd(), first_index + static_cast<std::uint32_t>(i));
        peers_.push_back(std::move(peer));
    }
    for (std::size_t i = 0; i < target_.shards.size(); ++i)
        TRY(subscribe(i, from[i]));
    return {};
}

Status ConsumeLoad::subscribe(std::size_t shard_position, std::uint64_t from) {
    Peer& peer = *peers_[shard_position % peers_.size()];
    const std::uint32_t id = peer.channel.next_request_id();
    peer.subscriptions[id] = {static_cast<std::uint32_t>(shard_position), 0, from};
    const wire::SubscribeRequest request(from, kCreditBytes, target_.shards[shard_position], 0);
    peer.channel.send(wire::Kind::Subscribe, id, wire::struct_bytes(request));
    return peer.channel.flush();
}

Status ConsumeLoad::restart(const std::vector<std::uint64_t>& from) {
    for (auto& peer : peers_) {
        for (const auto& [id, subscription] : peer->subscriptions)
            peer->channel.send(wire::Kind::Unsubscribe, id, {});
        peer->subscriptions.clear();
    }
    for (std::size_t i = 0; i < target_.shards.size(); ++i)
        TRY(subscribe(i, from[i]));
    return {};
}

std::vector<std::uint64_t> ConsumeLoad::positions() const {
    std::vector<std::uint64_t> found(target_.shards.size());
    for (const auto& peer : peers_)
        for (const auto& [id, subscription] : peer->subscriptions)
            found[subscription.shard_position] = subscription.from;
    return found;
}

Status ConsumeLoad::receive(std::uint32_t connection) {
    Peer& peer = *peers_[connection - first_index_];
    ASSIGN(const bool has_read, peer.channel.fill());
    if (!has_read) return peer.channel.flush();
    for (;;) {
        ASSIGN(const auto frame, peer.channel.next());
        if (!frame) return peer.channel.flush();
        const auto found = peer.subscriptions.find(frame->header.request_id);
        if (frame->is_error())
            return std::unexpected(client::error_of(*frame, peer.channel.endpoint()));
        if (found != peer.subscriptions.end()) TRY(take(peer, found->second, *frame));
    }
}

Status ConsumeLoad::take(Peer& peer, Subscription& subscription, const wire::FrameView& frame) {
    if (!measures_latency_) {
        const auto now = std::chrono::steady_clock::now();
        if (peer.last_delivery != MonoTime{})
            latency_.record(static_cast<std::uint64_t>((now - peer.last_delivery).count()));
        peer.last_delivery = now;
    }
    for (Bytes rest = frame.attachment; !rest.empty();) {
        ASSIGN(const auto batch, RecordBatchView::parse_stamped(rest));
        TRY(check_batch(batch, subscription));
        rest = rest.subspan(batch.bytes().size());
    }
    subscription.unreturned += frame.attachment.size();
    if (subscription.unreturned >= kCreditBytes / 4) {
        const wire::CreditReturn credit(subscription.unreturned);
        peer.channel.send(wire::Kind::Credit, frame.header.request_id, wire::struct_bytes(credit));
        subscription.unreturned = 0;
    }
    return {};
}

Status ConsumeLoad::check_batch(const RecordBatchView& batch, Subscription& subscription) {
    if (!batch.payload_is_intact())
        return fail(Errc::Corrupt, fmt::format("shard {}: the batch at {} is damaged",
                                               batch.header().shard, batch.first_ordinal()));
    if (batch.first_ordinal() > subscription.from || batch.end_ordinal() <= subscription.from)
        return fail(Errc::Corrupt,
                    fmt::format("shard {}: records {} to {} where {} belongs", batch.header().shard,
                                batch.first_ordinal(), batch.end_ordinal(), subscription.from));
    records_ += batch.end_ordinal() - subscription.from;
    subscription.from = batch.end_ordinal();
    if (!measures_latency_) {
        if (batch.header().codec == static_cast<std::uint8_t>(Codec::None)) return {};
        return opener_.open(batch).status();
    }
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    RecordCursor cursor = opener_.open(batch);
    for (RecordView record; cursor.next(record);) {
        data_bytes_ += record.data.size();
        if (record.data.size() < sizeof(std::int64_t)) continue;
        auto sent = load_le<std::int64_t>(record.data.data());
        if (!options_.sql_output.empty()) {
            const auto stamp = read_json_stamp(as_text(record.data));
            if (!stamp) return fail(Errc::Corrupt, "a record that was not written here");
            sent = *stamp;
        }
        latency_.record(static_cast<std::uint64_t>(std::max<std::int64_t>(now - sent, 0)));
    }
    return cursor.status();
}

Result<BenchResult> run_consume(const BenchOptions& wanted) {
    ASSIGN(const BenchOptions options, checked(wanted));
    ASSIGN(LoadTarget target, prepare_target(options));
    if (target.record_count() == 0) {
        BenchOptions fill = options;
        fill.rate = 0;
        fill.seconds = 0;
        fill.window = fill.batch * 32;
        if (fill.records == 0)
            fill.records = std::max<std::uint64_t>(kFillBytes / fill.record_bytes, 1);
        TRY(run_produce(fill));
        ASSIGN(target, prepare_target(options));
    }
    const std::uint64_t there = target.record_count();
    SocketWait sockets;
    ConsumeLoad load(options, target);
    const MonoTime start = std::chrono::steady_clock::now();
    TRY(load.open(sockets, 0, target.trims));
    std::uint64_t pass_end = there, seen = 0;
    MonoTime now = start, last_progress = start;
    const auto is_over = [&] {
        if (options.records != 0) return load.records() >= options.records;
        return std::chrono::duration<double>(now - start).count() >= options.seconds;
    };
    while (!is_over()) {
        for (const std::uint32_t index : sockets.wait_until(now + 100ms))
            TRY(load.receive(index));
        now = std::chrono::steady_clock::now();
        if (load.records() != seen) last_progress = now;
        seen = load.records();
        if (seen >= pass_end && !is_over()) {
            pass_end = seen + there;
            TRY(load.restart(target.trims));
        }
        if (now - last_progress > kStallLimit)
            return fail(Errc::Timeout,
                        fmt::format("{}: no record for {} s, {} of {} read", options.connect,
                                    kStallLimit / 1s, seen, pass_end));
    }
    BenchResult result;
    result.kind = "consume";
    result.records = load.records();
    result.bytes = result.records * options.record_bytes;
    result.elapsed_seconds = std::chrono::duration<double>(now - start).count();
    result.latency_ns = load.latency_ns();
    result.durability = target.durability;
    result.shards = static_cast<std::uint32_t>(target.shards.size());
    result.options = options;
    return result;
}

}  // namespace tidemill::bench

#include <algorithm>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "consumer/consumer_state.h"
#include "proto/native_table.h"
#include "proto/record_batch.h"

namespace tidemill::client {
namespace {

Delivery blank_delivery(const HeldShard& shard, std::uint64_t tail_ordinal) {
    Delivery delivery;
    delivery.shard_index = shard.shard.index;
    delivery.shard_created_s =
        std::chrono::floor<std::chrono::seconds>(shard.shard.created).time_since_epoch().count();
    delivery.tail_ordinal = tail_ordinal;
    return delivery;
}

}  // namespace

// The reading half of the consumer's thread: subscriptions, credit, batches into deliveries.

Status Consumer::State::exchange() {
    TRY(subscribe_new());
    for (;;) {
        TRY(channel.flush());
        ASSIGN(const auto frame, channel.next());
        if (frame) {
            take_frame(*frame);
            continue;
        }
        ASSIGN(const bool has_read, channel.fill());
        if (!has_read) return channel.flush();
    }
}

// Opens what there is room for now, subscribes to shards newly held, returns the credit of what was
// taken.
Status Consumer::State::subscribe_new() {
    const std::lock_guard lock(mutex);
    for (const std::uint32_t id : std::exchange(unwanted, {}))
        channel.send(wire::Kind::Unsubscribe, id, {});
    for (auto& [index, shard] : held) {
        if (const Status opened = open_waiting(shard); !opened) stop_shard(shard, opened.error());
        if (shard.has_ended) continue;
        if (shard.subscription == 0) {
            shard.subscription = channel.next_request_id();
            shard.credit_to_return = 0;
            const wire::SubscribeRequest request(shard.from, options.credit_bytes, shard.shard.uid,
                                                 0);
            channel.send(wire::Kind::Subscribe, shard.subscription, wire::struct_bytes(request));
        } else if (shard.credit_to_return >= options.credit_bytes / 4 ||
                   (shard.credit_to_return > 0 && queue.empty())) {
            const wire::CreditReturn credit(std::exchange(shard.credit_to_return, 0));
            channel.send(wire::Kind::Credit, shard.subscription, wire::struct_bytes(credit));
        }
    }
    return channel.flush();
}

void Consumer::State::take_frame(const wire::FrameView& frame) {
    const std::lock_guard lock(mutex);
    const std::uint32_t id = frame.header.request_id;
    const auto found = std::ranges::find_if(
        held, [&](const auto& entry) { return entry.second.subscription == id; });
    if (found == held.end()) return;  // of a shard let go
    HeldShard& shard = found->second;
    if (frame.is_error()) {
        const Error error = error_of(frame, endpoint);
        shard.has_ended = true;
        // The stream may be gone or the shard trimmed away: the next look at the stream tells.
        must_sync = true;
        if (error.code != Errc::NotFound) fail_with(error);
        return;
    }
    if (const Status status = take_batches(shard, frame); !status)
        return stop_shard(shard, status.error());
    if (!frame.is_end() || frame.envelope.empty()) return;
    if (shard.unopened.empty())
        end_shard(shard);
    else
        shard.unopened.back().is_end = true;
}

void Consumer::State::end_shard(HeldShard& shard) {
    shard.has_ended = true;
    Delivery end;
    end.kind = Delivery::Kind::ShardEnded;
    end.shard_index = shard.shard.index;
    end.next_ordinal = end.tail_ordinal = shard.from;
    push({std::move(end), 0, shard.subscription, 0});
}

void Consumer::State::stop_shard(HeldShard& shard, const Error& error) {
    shard.has_ended = true;
    shard.unopened.clear();
    fail_with(error);
}

// Compressed batches may open to many times their size: what is beyond the bound waits as it came.
Status Consumer::State::take_batches(HeldShard& shard, const wire::FrameView& frame) {
    if (frame.attachment.empty()) return {};
    ASSIGN(const auto head, wire::read_struct<wire::FetchReply>(frame.envelope));
    Bytes rest = frame.attachment;
    if (shard.unopened.empty()) {
        ASSIGN(rest, open_batches(shard, rest, head.end()));
        if (rest.empty()) return {};
    }
    shard.unopened.push_back({{rest.begin(), rest.end()}, 0, head.end(), false});
    return {};
}

Status Consumer::State::open_waiting(HeldShard& shard) {
    while (!shard.unopened.empty() && has_room(shard)) {
        UnopenedFrame& frame = shard.unopened.front();
        ASSIGN(const Bytes rest,
               open_batches(shard, Bytes{frame.batches}.subspan(frame.begin), frame.tail_ordinal));
        frame.begin = frame.batches.size() - rest.size();
        if (!rest.empty()) return {};
        const bool is_end = frame.is_end;
        shard.unopened.pop_front();
        if (is_end) end_shard(shard);
    }
    return {};
}

// Hands out the records of `batches` while there is room; returns the batches that are left.
Result<Bytes> Consumer::State::open_batches(HeldShard& shard, Bytes batches,
                                            std::uint64_t tail_ordinal) {
    while (!batches.empty() && has_room(shard)) {
        Queued queued{blank_delivery(shard, tail_ordinal), 0, shard.subscription, 0};
        RecordBatchView batch;
        Status readable;
        while (readable && !batches.empty() && has_room(shard)) {
            ASSIGN(batch, RecordBatchView::parse_stamped(batches));
            if (!batch.payload_is_intact())
                return fail(Errc::Corrupt, fmt::format("{}: {}: the records from {} on are damaged",
                                                       endpoint.to_string(), shard.shard.id,
                                                       batch.first_ordinal()));
            batches = batches.subspan(batch.bytes().size());
            queued.bytes += batch.bytes().size();
            readable = open_batch(shard, batch, queued);
        }
        queued.delivery.next_ordinal = shard.from;
        push(std::move(queued));
        if (!readable) pass_over(shard, batch, readable.error(), tail_ordinal);
    }
    return batches;
}

Status Consumer::State::open_batch(HeldShard& shard, const RecordBatchView& batch, Queued& queued) {
    RecordCursor cursor = opener.open(batch);
    for (RecordView record; cursor.next(record);) {
        // The first batch may begin before the record asked for.
        if (cursor.ordinal() < shard.from) continue;
        queued.delivery.records.push_back(
            {std::string(record.partition_key), std::string(as_text(record.data)), cursor.ordinal(),
             std::chrono::system_clock::time_point(cursor.arrival().time_since_epoch())});
        const std::size_t bytes = record.partition_key.size() + record.data.size();
        queued.opened_bytes += bytes;
        shard.opened_bytes += bytes;
        shard.from = cursor.ordinal() + 1;
    }
    return cursor.status();
}

// What a producer stored under a checksum that matches is no records: nobody will ever read them,
// and the shard must not stand still for them.
void Consumer::State::pass_over(HeldShard& shard, const RecordBatchView& batch, const Error& error,
                                std::uint64_t tail_ordinal) {
    if (batch.end_ordinal() <= shard.from) return;
    Delivery delivery = blank_delivery(shard, tail_ordinal);
    delivery.kind = Delivery::Kind::Unreadable;
    delivery.reason =
        fmt::format("{}: {}: the records {} to {} cannot be read: {}", endpoint.to_string(),
                    shard.shard.id, shard.from, batch.end_ordinal() - 1, error.message);
    metrics.records_unreadable += batch.end_ordinal() - shard.from;
    delivery.next_ordinal = shard.from = batch.end_ordinal();
    push({std::move(delivery), 0, shard.subscription, 0});
}

void Consumer::State::push(Queued queued) {
    queue.push_back(std::move(queued));
    delivered.notify_one();
}

void Consumer::State::fail_with(const Error& error) {
    failures.push_back(failure_of(error));
    delivered.notify_one();
}

void Consumer::State::lose_connection() {
    channel.close();
    const std::lock_guard lock(mutex);
    ++metrics.reconnects;
    unwanted.clear();
    for (auto& [index, shard] : held) {
        shard.subscription = 0;
        shard.unopened.clear();  // comes again: `from` stands before it
    }
}

void Consumer::State::wait(MonoTime until) {
    const auto left =
        std::clamp<std::chrono::nanoseconds>(until - std::chrono::steady_clock::now(), 0ns, 1h);
    pollfd sockets[2] = {{wake_fd, POLLIN, 0}, {channel.fd(), POLLIN, 0}};
    if (channel.is_open() && channel.wants_write()) sockets[1].events |= POLLOUT;
    const timespec timeout{left / 1s, (left % 1s).count()};
    ::ppoll(sockets, channel.is_open() ? 2 : 1, &timeout, nullptr);
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto got = ::read(wake_fd, &ignored, sizeof ignored);
}

void Consumer::State::wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_fd, &one, sizeof one);
}

}  // namespace tidemill::client

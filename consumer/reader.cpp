#include <algorithm>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "consumer/consumer_state.h"
#include "proto/native_table.h"
#include "proto/record_batch.h"

namespace tidemill::client {

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

// Subscribes to shards newly held and returns the credit of what was taken.
Status Consumer::State::subscribe_new() {
    const std::lock_guard lock(mutex);
    for (const std::uint32_t id : std::exchange(unwanted, {}))
        channel.send(wire::Kind::Unsubscribe, id, {});
    for (auto& [index, shard] : held) {
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
    if (const Status status = take_batches(shard, frame); !status) {
        shard.has_ended = true;
        return fail_with(status.error());
    }
    if (frame.is_end() && !frame.envelope.empty()) {
        shard.has_ended = true;
        Delivery end;
        end.kind = Delivery::Kind::ShardEnded;
        end.shard_index = shard.shard.index;
        end.next_ordinal = end.tail_ordinal = shard.from;
        push(std::move(end), 0);
    }
}

Status Consumer::State::take_batches(HeldShard& shard, const wire::FrameView& frame) {
    if (frame.attachment.empty()) return {};
    ASSIGN(const auto head, wire::read_struct<wire::FetchReply>(frame.envelope));
    Delivery delivery;
    delivery.shard_index = shard.shard.index;
    delivery.shard_created_s =
        std::chrono::floor<std::chrono::seconds>(shard.shard.created).time_since_epoch().count();
    delivery.tail_ordinal = head.end();
    for (Bytes rest = frame.attachment; !rest.empty();) {
        ASSIGN(const auto batch, RecordBatchView::parse_stamped(rest));
        if (!batch.payload_is_intact())
            return fail(Errc::Corrupt,
                        fmt::format("{}: {}: the records from {} on are damaged",
                                    endpoint.to_string(), shard.shard.id, batch.first_ordinal()));
        rest = rest.subspan(batch.bytes().size());
        RecordCursor cursor(batch);
        for (RecordView record; cursor.next(record);) {
            // The first batch may begin before the record asked for.
            if (cursor.ordinal() < shard.from) continue;
            delivery.records.push_back(
                {std::string(record.partition_key), std::string(as_text(record.data)),
                 cursor.ordinal(),
                 std::chrono::system_clock::time_point(batch.arrival().time_since_epoch())});
        }
        TRY(cursor.status());
        shard.from = std::max(shard.from, batch.end_ordinal());
    }
    delivery.next_ordinal = shard.from;
    push(std::move(delivery), frame.attachment.size());
    return {};
}

void Consumer::State::push(Delivery delivery, std::size_t bytes) {
    const std::uint32_t subscription = held.at(delivery.shard_index).subscription;
    queue.push_back({std::move(delivery), bytes, subscription});
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
    for (auto& [index, shard] : held)
        shard.subscription = 0;
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

#include <algorithm>

#include <fmt/format.h>

#include "engine/native/native_requests.h"

namespace tidemill {

// Subscriptions and the requests of extensions: they may last, be given up, and send many frames.

Status NativeConnection::start_long(const wire::FrameView& frame) {
    const std::uint32_t id = frame.header.request_id;
    const std::uint8_t kind = frame.header.kind;
    if (long_requests_.contains(id)) {
        send_error(kind, id,
                   Error(Errc::InvalidArgument, fmt::format("request id {} is in use", id)));
        return {};
    }
    if (long_requests_.size() >= limits().subscriptions_max) {
        send_error(kind, id,
                   Error(Errc::LimitExceeded, "too many subscriptions on one connection"));
        return {};
    }
    if (kind == static_cast<std::uint8_t>(wire::Kind::Subscribe)) {
        const auto wish = wire::read_struct<wire::SubscribeRequest>(frame.envelope);
        if (!wish) {
            send_error(kind, id, wish.error());
            return {};
        }
        reactor_.spawn(gate_, run_subscription(id, *wish));
        return {};
    }
    NativeRequest request{kind,
                          id,
                          wire::TableBytes(frame.envelope),
                          {frame.attachment.begin(), frame.attachment.end()}};
    reactor_.spawn(gate_, run_extension(std::move(request)));
    return {};
}

Task<void> NativeConnection::run_extension(NativeRequest request) {
    LongRequest state;
    const std::uint32_t id = request.id;
    if (!long_requests_.emplace(id, &state).second) co_return;
    NativeReply reply(*this, request.kind, id);
    co_await shared_.extensions[request.kind](std::move(request), reply);
    long_requests_.erase(id);
}

Task<void> NativeConnection::run_subscription(std::uint32_t id, wire::SubscribeRequest request) {
    LongRequest state;
    state.credit = request.credit_bytes();
    if (!long_requests_.emplace(id, &state).second) co_return;
    NativeReply reply(*this, static_cast<std::uint8_t>(wire::Kind::Subscribe), id);
    const ShardUid shard{request.shard()};
    Ordinal from = request.from();
    bool has_ended = false;
    std::optional<TokenBucket> pace;  // where rates are kept
    if (RateLimits* limits = service().limits()) pace = limits->subscription_pace();
    while (is_wanted(id)) {
        if (pace && !pace->is_clear(now())) {
            co_await state.wake.wait_until(pace->clear_at(now()));
            continue;
        }
        if (state.credit == 0) {
            co_await state.wake.wait_until(MonoTime::max());
            continue;
        }
        Result<ReadResult> result;
        {
            const Room room = co_await reserve_push();
            if (!is_wanted(id)) break;
            const ReadLimits read_limits{std::min<std::uint64_t>(state.credit, room.bytes())};
            result = co_await service().read(shard, from, read_limits);
        }
        if (!result) {
            reply.send_error(result.error());
            has_ended = true;
            break;
        }
        if (!is_wanted(id)) break;
        if (!result->batches.empty()) {
            std::uint64_t bytes = 0;
            for (const auto& slice : result->batches)
                bytes += slice.bytes.size();
            // A batch larger than the credit left is sent all the same, or it would never be.
            state.credit -= std::min(state.credit, bytes);
            if (pace) pace->charge(static_cast<double>(bytes), now());
            from = result->next;
            count_read(service(), shard, *result);
            const auto head = fetch_reply_of(*result);
            reply.send(wire::struct_bytes(head), std::move(result->batches), false);
            continue;
        }
        if (result->tail.is_sealed && from >= result->tail.end) {
            const auto head = fetch_reply_of(*result);
            reply.send(wire::struct_bytes(head), true);
            has_ended = true;
            break;
        }
        const auto tail = co_await service().wait_tail(shard, from, now() + limits().wait_slice);
        if (!tail) {
            reply.send_error(tail.error());
            has_ended = true;
            break;
        }
    }
    long_requests_.erase(id);
    if (!has_ended && is_open_) reply.send({}, true);
}

}  // namespace tidemill

#include <algorithm>

#include "engine/native/native_requests.h"
#include "engine/usage/limited_writer.h"

namespace tidemill {
namespace {

using wire::Kind;

std::uint64_t bytes_of(const ReadResult& result) {
    std::uint64_t bytes = 0;
    for (const auto& slice : result.batches)
        bytes += slice.bytes.size();
    return bytes;
}

/// The room in the output queue is taken for the time of the read.
Task<Result<ReadResult>> read_for_answer(NativeConnection& connection, ShardUid shard, Ordinal from,
                                         ReadLimits limits) {
    const auto room = co_await connection.reserve_answer(limits.bytes);
    co_return co_await connection.service().read(shard, from, limits);
}

Task<Status> fetch(NativeConnection& connection, wire::FetchRequest request, NativeReply& reply) {
    const ShardUid shard{request.shard()};
    const ReadLimits limits{
        std::clamp<std::size_t>(request.bytes_max(), 1, connection.limits().fetch_bytes_max)};
    RateLimits* const rates = connection.service().limits();
    if (rates != nullptr) CO_TRY(co_await rates->admit_read(shard));
    const MonoTime deadline = connection.now() + std::chrono::milliseconds{request.wait_max_ms()};
    for (;;) {
        CO_ASSIGN(ReadResult result,
                  co_await read_for_answer(connection, shard, request.from(), limits));
        const bool is_over = result.tail.is_sealed && request.from() >= result.tail.end;
        if (!result.batches.empty() || is_over || connection.now() >= deadline ||
            !reply.is_wanted()) {
            if (rates != nullptr) co_await rates->charge_read(shard, bytes_of(result));
            count_read(connection.service(), shard, result);
            const auto head = fetch_reply_of(result);
            reply.send(wire::struct_bytes(head), std::move(result.batches));
            co_return Status{};
        }
        const MonoTime slice =
            std::min(deadline, connection.now() + connection.limits().wait_slice);
        CO_TRY(co_await connection.service().wait_tail(shard, request.from(), slice));
    }
}

}  // namespace

void count_read(StreamService& service, ShardUid shard, const ReadResult& result) {
    ShardCounts* const counts = service.shard_counts(shard);
    if (counts == nullptr) return;
    for (const auto& slice : result.batches) {
        const auto batch = RecordBatchView::trusted(slice.bytes);
        counts->count_read(batch.record_count(), records_bytes_of(batch));
    }
}

wire::FetchReply fetch_reply_of(const ReadResult& result) {
    return {result.next, result.tail.trim, result.tail.end, to_millis(result.tail.last_arrival),
            result.tail.is_sealed ? 1u : 0u};
}

Task<Status> answer_reading(NativeConnection& connection, const NativeRequest& request,
                            NativeReply& reply) {
    const Bytes message = request.message.bytes();
    switch (static_cast<Kind>(request.kind)) {
        case Kind::Fetch: {
            CO_ASSIGN(const auto wish, wire::read_struct<wire::FetchRequest>(message));
            co_return co_await fetch(connection, wish, reply);
        }
        case Kind::Tail: {
            CO_ASSIGN(const auto wish, wire::read_struct<wire::TailRequest>(message));
            CO_ASSIGN(const TailInfo tail,
                      co_await connection.service().tail(ShardUid{wish.shard()}));
            const wire::TailReply answer(tail.trim, tail.end, to_millis(tail.last_arrival),
                                         tail.is_sealed ? 1u : 0u);
            reply.send(wire::struct_bytes(answer));
            co_return Status{};
        }
        case Kind::ProducerPosition: {
            CO_ASSIGN(const auto wish, wire::read_struct<wire::ProducerPositionRequest>(message));
            CO_ASSIGN(const ProducerPosition position,
                      co_await connection.service().producer_position(ShardUid{wish.shard()},
                                                                      wish.producer_id()));
            const wire::ProducerPositionReply answer(position.end, position.next_sequence,
                                                     position.is_known ? 1u : 0u);
            reply.send(wire::struct_bytes(answer));
            co_return Status{};
        }
        default: {
            CO_ASSIGN(const auto wish, wire::read_struct<wire::SeekTimeRequest>(message));
            CO_ASSIGN(const Ordinal ordinal,
                      co_await connection.service().seek_time(ShardUid{wish.shard()},
                                                              from_millis(wish.time_ms())));
            const wire::SeekTimeReply answer(ordinal);
            reply.send(wire::struct_bytes(answer));
            co_return Status{};
        }
    }
}

}  // namespace tidemill

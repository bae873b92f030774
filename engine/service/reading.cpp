// LocalStreamService: reading is the log's.
#include "engine/service/local_stream_service.h"

namespace tidemill {

Task<Result<ReadResult>> LocalStreamService::read(ShardUid shard, Ordinal from, ReadLimits limits) {
    auto read = encryption_.keys == nullptr ? co_await log_.read(shard, from, limits)
                                            : co_await read_unsealed(shard, from, limits);
    if (read) this_core().meters.count_out(shard, *read);
    co_return read;
}

Task<Result<TailInfo>> LocalStreamService::tail(ShardUid shard) { return log_.tail(shard); }

Task<Result<Ordinal>> LocalStreamService::seek_time(ShardUid shard, WallTime time) {
    return log_.seek_time(shard, time);
}

Task<Result<ProducerPosition>> LocalStreamService::producer_position(ShardUid shard,
                                                                     std::uint64_t producer_id) {
    return log_.producer_position(shard, producer_id);
}

Task<Result<TailInfo>> LocalStreamService::wait_tail(ShardUid shard, Ordinal beyond,
                                                     MonoTime deadline) {
    return log_.wait_tail(shard, beyond, deadline);
}

Task<void> LocalStreamService::interrupt_waits() { return log_.interrupt_waits(); }

}  // namespace tidemill

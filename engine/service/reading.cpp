// LocalStreamService: reading is the log's.
#include "engine/service/local_stream_service.h"

namespace tidemill {

Task<Result<ReadResult>> LocalStreamService::read(ShardUid shard, Ordinal from, ReadLimits limits) {
    if (encryption_.keys == nullptr) return log_.read(shard, from, limits);
    return read_unsealed(shard, from, limits);
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

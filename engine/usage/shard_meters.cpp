#include "engine/usage/shard_meters.h"

#include <utility>

#include "engine/base/hash_key.h"
#include "engine/usage/limited_writer.h"

namespace tidemill {
namespace {

constexpr std::uint32_t kOpenOneIn = 16;  // compressed batches: opening costs more than the rest

}  // namespace

ShardMeter& ShardMeters::of(ShardUid shard) {
    ShardMeter& meter = meters_[shard];
    meter.shard = shard;
    return meter;
}

void ShardMeters::count_in(ShardMeter& meter, const RecordBatchView& batch) {
    meter.used.records_in += batch.record_count();
    meter.used.bytes_in += records_bytes_of(batch);
    touch(meter);
}

void ShardMeters::count_out(ShardUid shard, const ReadResult& read) {
    if (read.batches.empty()) return;
    ShardMeter& meter = of(shard);
    for (const auto& slice : read.batches) {
        const auto batch = RecordBatchView::trusted(slice.bytes);
        meter.used.records_out += batch.record_count();
        meter.used.bytes_out += batch.bytes().size();
    }
    touch(meter);
}

std::vector<ShardMeters::Collected> ShardMeters::collect() {
    std::vector<Collected> collected;
    collected.reserve(counted_.size());
    for (ShardMeter* meter : std::exchange(counted_, {})) {
        meter->is_counted = false;
        collected.push_back({meter->shard, std::exchange(meter->used, {}), {}, {}});
        if (meter->sample == nullptr) continue;
        collected.back().keys = meter->sample->keys();
        collected.back().new_keys = meter->sample->take_new();
    }
    return collected;
}

void ShardMeters::sample(ShardUid shard, bool is_wanted) {
    ShardMeter& meter = of(shard);
    if (is_wanted == (meter.sample != nullptr)) return;
    meter.sample = is_wanted ? std::make_unique<KeySample>() : nullptr;
}

void ShardMeters::sample_batch(ShardMeter& meter, const RecordBatchView& batch) {
    const bool is_plain = batch.header().codec == static_cast<std::uint8_t>(Codec::None);
    if (!is_plain && ++compressed_batches_ % kOpenOneIn != 0) return;
    const Sampling sampling = sampling_of(batch.record_count());
    RecordCursor cursor = opener_.open(batch);
    std::uint32_t i = 0;
    for (RecordView record; cursor.next(record); ++i)
        if (sampling.takes(i))
            meter.sample->add(hash_partition_key(record.partition_key), sampling.stride,
                              record.partition_key);
}

}  // namespace tidemill

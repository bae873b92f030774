#include "engine/log/scattered_read.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr std::size_t kBatchesMax = 64;
/// A shard that has next to nothing in so many segments is not looked for in further ones at once.
constexpr std::size_t kSegmentsMax = 16;
/// One batch among so many bytes of others is not worth walking to.
constexpr std::uint64_t kWorth = 24;
constexpr std::uint64_t kWorthBytes = 128_KiB;

struct Reads {
    std::size_t left = 0;
    Signal ended;
};

Task<void> read_one(LaneParts* parts, ScatteredPlan::Batch batch, BufferSlice* into, Reads* reads) {
    const std::uint64_t begin = align_down(batch.position, kBlockBytes);
    const std::uint64_t end = align_up(batch.position + batch.bytes, kBlockBytes);
    const auto bytes = static_cast<std::size_t>(end - begin);
    {
        const auto share = co_await parts->pacer.enter(bytes);
        Buffer buffer = Buffer::allocate(bytes);
        const auto filled = co_await batch.segment->file->read(begin, buffer.bytes());
        const auto offset = static_cast<std::size_t>(batch.position - begin);
        if (filled && *filled >= offset + batch.bytes)
            *into = {buffer, {buffer.data() + offset, batch.bytes}};
    }
    --reads->left;
    reads->ended.notify_all();
}

Segment* next_of(LaneParts& parts, const Segment& segment) {
    auto& live = parts.segments.live();
    const auto at = segment.header.number + 1 - live.front()->header.number;
    return at < live.size() ? live[at].get() : nullptr;
}

/// The walk over the log that the plan would save.
struct Walk {
    std::uint64_t bytes = 0;
    std::uint64_t at = 0;  // in the present segment

    void go_to(std::uint64_t position) {
        bytes += position - at;
        at = position;
    }
};

/// Adds what the segment has of the shard. False: there is more than the limits allow.
bool add_batches(ScatteredPlan& plan, std::uint64_t& bytes, Walk& walk, Segment& segment,
                 ShardUid shard, Ordinal from, const ReadLimits& limits) {
    const auto of_shard =
        std::ranges::equal_range(segment.footer->index, shard.value, {}, &SegmentIndexEntry::shard);
    auto at = of_shard.begin();
    if (plan.batches.empty()) {
        at = std::ranges::partition_point(
            of_shard, [from](const auto& entry) { return entry.first_ordinal <= from; });
        if (at == of_shard.begin()) return false;
        --at;
        walk.at = std::uint64_t{at->position8} * 8;
    }
    for (; at != of_shard.end(); ++at) {
        const std::uint64_t position = std::uint64_t{at->position8} * 8 + at->batch_offset;
        walk.go_to(position);
        const bool is_full =
            plan.batches.size() == kBatchesMax || bytes + at->batch_bytes > limits.bytes ||
            at->first_ordinal >= from + std::min(limits.records, UINT64_MAX - from);
        if (is_full && !plan.batches.empty()) return false;
        bytes += at->batch_bytes;
        plan.batches.push_back({&segment, position, at->batch_bytes, at->first_ordinal});
    }
    walk.go_to(segment.end_position);
    return true;
}

}  // namespace

Task<ScatteredPlan> plan_scattered_read(LaneParts& parts, Segment& first, ShardUid shard,
                                        Ordinal from, ReadLimits limits) {
    ScatteredPlan plan;
    std::uint64_t bytes = 0;
    Walk walk;
    const auto is_scattered = [&] {
        return walk.bytes >= kWorth * bytes && walk.bytes >= kWorthBytes * plan.batches.size();
    };
    Segment* segment = &first;
    while (segment != nullptr && plan.pins.size() < kSegmentsMax) {
        plan.pins.emplace_back(*segment);
        const bool is_known = segment->building == nullptr || segment->footer;
        if (!is_known || !co_await parts.segments.footer(*segment) ||
            !parts.segments.open_file(*segment))
            break;
        walk.at = kSegmentDataStart;
        if (!add_batches(plan, bytes, walk, *segment, shard, from, limits) || !is_scattered())
            break;
        segment = next_of(parts, *segment);
    }
    if (!is_scattered()) plan.batches.clear();
    co_return plan;
}

Task<std::vector<BufferSlice>> read_scattered(LaneParts& parts, ShardUid shard,
                                              ScatteredPlan taken) {
    auto& plan = taken.batches;
    std::vector<BufferSlice> batches(plan.size());
    if (parts.gate.is_closed()) plan.clear();
    Reads reads{plan.size(), {}};
    for (std::size_t i = 0; i < plan.size(); ++i)
        parts.reactor.spawn(parts.gate, read_one(&parts, plan[i], &batches[i], &reads));
    while (reads.left > 0)
        co_await reads.ended.wait_until(MonoTime::max());
    std::size_t good = 0;
    for (; good < plan.size(); ++good) {
        const auto& planned = plan[good];
        if (batches[good].bytes.empty()) break;
        const auto batch = RecordBatchView::parse_stamped(batches[good].bytes);
        if (!batch || batch->bytes().size() != planned.bytes ||
            batch->header().shard != shard.value ||
            batch->first_ordinal() != planned.first_ordinal || !batch->payload_is_intact())
            break;
        const bool is_followed =
            good + 1 < plan.size() && plan[good + 1].first_ordinal == batch->end_ordinal();
        if (!is_followed) {
            ++good;
            break;
        }
    }
    batches.resize(good);
    co_return batches;
}

}  // namespace tidemill

#include "engine/log/scattered_read.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr std::size_t kBatchesMax = 64;
/// One batch among so many bytes of others is not worth walking to.
constexpr std::uint64_t kWorth = 12;
constexpr std::uint64_t kWorthBytes = 128_KiB;

struct Reads {
    std::size_t left = 0;
    Signal ended;
};

Task<void> read_one(LaneParts* parts, Segment* segment, PlannedBatch batch, BufferSlice* into,
                    Reads* reads) {
    const std::uint64_t begin = align_down(batch.position, kBlockBytes);
    const std::uint64_t end = align_up(batch.position + batch.bytes, kBlockBytes);
    const auto bytes = static_cast<std::size_t>(end - begin);
    {
        const auto share = co_await parts->pacer.enter(bytes);
        Buffer buffer = Buffer::allocate(bytes);
        const auto filled = co_await segment->file->read(begin, buffer.bytes());
        const auto offset = static_cast<std::size_t>(batch.position - begin);
        if (filled && *filled >= offset + batch.bytes)
            *into = {buffer, {buffer.data() + offset, batch.bytes}};
    }
    --reads->left;
    reads->ended.notify_all();
}

}  // namespace

std::vector<PlannedBatch> plan_scattered_read(const SegmentFooter& footer, ShardUid shard,
                                              Ordinal from, const ReadLimits& limits) {
    std::vector<PlannedBatch> plan;
    const auto of_shard =
        std::ranges::equal_range(footer.index, shard.value, {}, &SegmentIndexEntry::shard);
    auto at = std::ranges::partition_point(
        of_shard, [from](const auto& entry) { return entry.first_ordinal <= from; });
    if (at == of_shard.begin()) return plan;
    --at;
    std::uint64_t bytes = 0;
    const std::uint64_t begin = std::uint64_t{at->position8} * 8;
    std::uint64_t end = begin;
    for (; at != of_shard.end() && plan.size() < kBatchesMax; ++at) {
        if (!plan.empty() &&
            (bytes + at->batch_bytes > limits.bytes || at->first_ordinal - from >= limits.records))
            break;
        bytes += at->batch_bytes;
        end = std::uint64_t{at->position8} * 8 + at->batch_offset;
        plan.push_back({end, at->batch_bytes, at->first_ordinal});
    }
    const std::uint64_t span = end - begin;
    if (plan.size() < 2 || span < kWorth * bytes || span < kWorthBytes * plan.size()) plan.clear();
    return plan;
}

Task<std::vector<BufferSlice>> read_scattered(LaneParts& parts, Segment& segment, ShardUid shard,
                                              std::vector<PlannedBatch> plan) {
    std::vector<BufferSlice> batches(plan.size());
    if (parts.gate.is_closed() || !parts.segments.open_file(segment)) plan.clear();
    Reads reads{plan.size(), {}};
    for (std::size_t i = 0; i < plan.size(); ++i)
        parts.reactor.spawn(parts.gate, read_one(&parts, &segment, plan[i], &batches[i], &reads));
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

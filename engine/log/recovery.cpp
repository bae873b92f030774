#include "engine/log/recovery.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <fmt/format.h>

namespace tidemill {
namespace {

constexpr std::size_t kSecureStep = 1_MiB;

/// Scans one segment into shard table and index. `proven` as for SegmentScanner. Returns where the
/// commits begin that nothing in the log says were durable.
Task<Result<std::uint64_t>> scan_segment(LaneParts& parts, Segment& segment, std::uint64_t proven,
                                         std::uint64_t limit, RecoveredLane& lane) {
    CO_TRY(parts.segments.open_file(segment));
    SegmentScanner scanner(*segment.file, segment.header, proven, limit);
    segment.building = std::make_unique<SegmentIndexBuilder>();
    // What is remembered of producers is as of the segment before, and batches of theirs may have
    // been dropped or packed here: a number that is not the next one would refuse them for ever.
    const bool is_rewritten = segment.header.is_rewritten();
    if (is_rewritten) parts.producers.clear();
    std::uint64_t durable = std::max(proven, segment.header.first_commit - 1);
    std::deque<std::pair<std::uint64_t, std::uint64_t>> doubtful;  // number, position
    while (true) {
        CO_ASSIGN(const auto commit, co_await scanner.next());
        if (!commit) break;
        durable = std::max(durable, commit->header.durable);
        doubtful.emplace_back(commit->header.number, commit->position);
        while (!doubtful.empty() && doubtful.front().first <= durable)
            doubtful.pop_front();
        for (std::size_t i = 0; i < commit->header.directory_count; ++i) {
            const auto entry = commit->entry(i);
            const bool is_intact = std::ranges::find(commit->damaged, i) == commit->damaged.end();
            RecordBatchHeader batch{};
            if (!entry.is_control() && is_intact)
                batch = load_le<RecordBatchHeader>(commit->bytes.data() + entry.offset);
            const std::int64_t last_arrival = commit->last_arrival_ms(i);
            parts.shards.learn_scanned(entry, last_arrival, batch.epoch);
            if (batch.producer_id != 0) parts.producers.learn(produced_batch(batch));
            const bool is_packed = (batch.flags & kBatchPacked) != 0;
            if (is_packed || (is_rewritten && !is_intact && !entry.is_control()))
                parts.producers.forget(ShardUid{entry.shard});
            if (!entry.is_control())
                segment.building->add(commit->position, commit->header.arrival_ms, entry,
                                      last_arrival);
        }
    }
    for (const auto& entry : scanner.salvaged()) {
        // Only how far the shard had come; the records themselves stand in a commit that cannot be
        // trusted.
        parts.shards.learn(entry, 0, 0);
    }
    segment.end_position = scanner.end_position();
    lane.last_commit = scanner.next_number() - 1;
    lane.last_check = scanner.last_check();
    lane.scanned_bytes += scanner.bytes_read();
    lane.is_torn = scanner.is_torn();
    lane.damage.insert(lane.damage.end(), scanner.damage().begin(), scanner.damage().end());
    co_return doubtful.empty() ? segment.end_position : doubtful.front().second;
}

// What is served from now on must be as durable as what was acknowledged, and a sync would not show
// it: one that fails may leave bytes that are read back and are on no disk, and the next one then
// succeeds. So the newest segment's header and the end of its log are written once more as they
// are. The same bytes over themselves: no crash can tear them.
Task<Status> secure_end(Segment& segment, std::uint64_t from) {
    const Buffer block = Buffer::allocate(kBlockBytes);
    write_block(block.bytes(), segment.header);
    CO_TRY(co_await segment.file->write(0, block.bytes(), Persistence::Durable));
    const std::uint64_t end = align_up(segment.end_position, kBlockBytes);
    Buffer buffer;
    for (std::uint64_t at = align_down(from, kBlockBytes); at < end;) {
        const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(kSecureStep, end - at));
        if (!buffer) buffer = Buffer::allocate(step);
        const MutableBytes bytes = buffer.bytes().first(step);
        CO_ASSIGN(const std::size_t filled, co_await segment.file->read(at, bytes));
        std::ranges::fill(bytes.subspan(filled), std::byte{0});
        CO_TRY(co_await segment.file->write(at, bytes, Persistence::Durable));
        at += step;
    }
    co_return Status{};
}

/// Takes the state of the lane as of the end of a sealed segment; false when it cannot be believed.
Task<Result<bool>> load_state(LaneParts& parts, Segment& segment) {
    const SegmentPin pin(segment);
    const auto footer = co_await parts.segments.read_stored_footer(segment);
    if (!footer && footer.error().code != Errc::Corrupt) co_return std::unexpected(footer.error());
    if (!footer) {
        parts.report(footer.error().message);
        co_return false;
    }
    const auto producers = co_await parts.segments.read_producers(segment);
    if (!producers && producers.error().code != Errc::Corrupt)
        co_return std::unexpected(producers.error());
    if (!producers) {
        parts.report(producers.error().message);
        co_return false;
    }
    for (const auto& end : (*footer)->ends)
        parts.shards.learn(end);
    parts.producers.clear();
    for (const auto& batch : *producers)
        parts.producers.learn(batch);
    co_return true;
}

/// Position in live() of the newest segment whose state of the lane can be believed, having loaded
/// it; npos without one. One whose seal could not be written may have sealed ones above it: it gets
/// its seal now, or it would neither be retired nor rewritten, ever.
Task<Result<std::size_t>> load_newest_state(LaneParts& parts, std::size_t first_unsealed) {
    auto& live = parts.segments.live();
    for (std::size_t i = first_unsealed; i-- > 0;) {
        CO_ASSIGN(const bool is_loaded, co_await load_state(parts, *live[i]));
        if (is_loaded) co_return i;
    }
    co_return SIZE_MAX;
}

}  // namespace

Task<Result<RecoveredLane>> recover_lane(LaneParts& parts) {
    const MonoTime begun = parts.mono_now();
    RecoveredLane lane;
    CO_TRY(co_await parts.segments.load());
    parts.shards.forget_log();
    parts.producers.clear();
    auto& live = parts.segments.live();
    const auto unsealed =
        std::ranges::find(live, false, [](const auto& s) { return s->is_sealed; });
    const auto first_unsealed = static_cast<std::size_t>(unsealed - live.begin());
    CO_ASSIGN(const std::size_t trusted, co_await load_newest_state(parts, first_unsealed));
    const std::size_t first = trusted == SIZE_MAX ? 0 : trusted + 1;
    if (trusted != SIZE_MAX) {
        lane.last_commit = live[trusted]->seal.last_commit;
        lane.last_check = live[trusted]->seal.last_check;
    }
    for (std::size_t i = first; i < live.size(); ++i) {
        auto& segment = *live[i];
        const bool is_newest = i + 1 == live.size();
        if (segment.is_sealed && i > first_unsealed) {
            CO_ASSIGN(const bool is_loaded, co_await load_state(parts, segment));
            lane.last_commit = segment.seal.last_commit;
            lane.last_check = segment.seal.last_check;
            if (is_loaded) continue;
        }
        const std::uint64_t limit =
            is_newest ? (segment.is_sealed ? segment.seal.last_commit + 1 : UINT64_MAX)
                      : live[i + 1]->header.first_commit;
        const std::uint64_t proven = limit == UINT64_MAX ? 0 : limit - 1;
        const std::size_t known_damage = lane.damage.size();
        CO_ASSIGN(const std::uint64_t doubtful,
                  co_await scan_segment(parts, segment, proven, limit, lane));
        if (is_newest) CO_TRY(co_await secure_end(segment, doubtful));
        auto sealed = co_await parts.segments.seal_segment(
            segment, parts.sealed_state(), lane.last_commit, lane.last_check,
            lane.damage.size() > known_damage, is_newest);
        if (!sealed) co_return std::unexpected(std::move(sealed).error());
    }
    parts.shards.each([&](std::uint32_t, const ShardState& state) {
        lane.last_arrival_ms = std::max(lane.last_arrival_ms, state.last_arrival_ms);
    });
    for (const auto& range : lane.damage)
        parts.report(fmt::format("damaged: segment {} from {} to {}: {}", range.segment,
                                 range.position, range.end_position, range.what));
    auto& stats = parts.stats;
    stats.damaged_ranges += lane.damage.size();
    stats.recovery_bytes = lane.scanned_bytes;
    stats.recovery_micros = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(parts.mono_now() - begun).count());
    co_return lane;
}

}  // namespace tidemill

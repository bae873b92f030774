#include "engine/log/lane_reader.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "engine/log/scattered_read.h"
#include "proto/batch_packer.h"

namespace tidemill {
namespace {

/// How many of the first runs begin at or before `ordinal`.
std::size_t runs_up_to(const Ring<TailRun>& runs, Ordinal ordinal) {
    std::size_t low = 0, high = runs.size();
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (runs[middle].first <= ordinal)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool is_full(const ReadResult& result, std::size_t bytes, std::size_t more,
             const ReadLimits& limits, Ordinal from, Ordinal reached) {
    if (result.batches.empty()) return false;
    return bytes + more > limits.bytes || (reached > from && reached - from >= limits.records);
}

Error no_such_shard(ShardUid shard) {
    return {Errc::NotFound, fmt::format("shard {} does not exist", shard)};
}

}  // namespace

bool LaneReader::is_expired(const ShardState& state, std::int64_t arrival_ms) const {
    return parts_.has_expired(state, arrival_ms);
}

Task<Result<ReadResult>> LaneReader::read(ShardUid shard, Ordinal from, ReadLimits limits) {
    ReadResult result;
    while (true) {
        auto* state = parts_.shards.find(shard);
        if (state == nullptr || !state->is_known || state->is_deleted)
            co_return std::unexpected(no_such_shard(shard));
        result.batches.clear();
        result.next = from;
        if (from < state->end) from = std::max(from, std::min(state->trim, state->end));
        result.next = from;
        if (from < state->end) {
            if (!state->runs.is_empty() && state->runs.front().first <= from) {
                ++parts_.stats.tail_reads;
                read_tail(*state, from, limits, result);
            } else {
                ++parts_.stats.disk_reads;
                CO_TRY(co_await read_disk(shard, from, limits, result));
                state = parts_.shards.find(shard);
                if (result.batches.empty() && state->trim > from) continue;
            }
            const bool has_expired =
                !result.batches.empty() &&
                is_expired(*state,
                           load_le<RecordBatchHeader>(result.batches[0].bytes.data()).arrival_ms);
            if (has_expired) {
                const Ordinal before = state->trim;
                CO_TRY(co_await refresh_trim(shard));
                state = parts_.shards.find(shard);
                if (state->trim > before) continue;
            }
        }
        if (!result.batches.empty()) cut_gone(*state, result.batches.front());
        result.tail = state->tail();
        co_return result;
    }
}

// The trim of a packed batch may lie inside it, and what has expired is not to be read.
void LaneReader::cut_gone(const ShardState& state, BufferSlice& slice) {
    const auto batch = RecordBatchView::trusted(slice.bytes);
    if (!batch.is_packed() || batch.first_ordinal() >= state.trim) return;
    BatchPacker packer;
    const auto cut = packer.cut_front(batch, state.trim);
    if (!cut) return;  // it holds no records: readers say so
    const Buffer buffer = Buffer::allocate(cut->bytes().size());
    std::memcpy(buffer.data(), cut->bytes().data(), cut->bytes().size());
    slice = {buffer, {buffer.data(), buffer.size()}};
}

void LaneReader::read_tail(const ShardState& state, Ordinal from, ReadLimits limits,
                           ReadResult& result) const {
    std::size_t bytes = 0;
    for (std::size_t i = runs_up_to(state.runs, from) - 1; i < state.runs.size(); ++i) {
        const auto& run = state.runs[i];
        if (run.first >= state.end) break;
        const auto header = parts_.cache.header(run);
        if (is_full(result, bytes, header.batch_bytes, limits, from, run.first)) break;
        result.batches.push_back(parts_.cache.slice(run));
        result.next = run.first + header.record_count;
        bytes += header.batch_bytes;
    }
}

template <class IsReached>
Task<Result<std::size_t>> LaneReader::first_segment(ShardUid shard, IsReached is_reached) {
    // Segments may be retired at the front while a footer is loaded; numbers stay true, positions
    // do not.
    auto& live = parts_.segments.live();
    if (live.empty())
        co_return fail(Errc::Corrupt, fmt::format("the log of shard {} is missing", shard));
    std::uint64_t low = live.front()->header.number, high = live.back()->header.number;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (middle < live.front()->header.number) {
            low = middle + 1;
            continue;
        }
        const SegmentPin pin(*live[middle - live.front()->header.number]);
        CO_ASSIGN(const auto* footer, co_await parts_.segments.footer(*pin));
        const auto* end = footer->end_of(shard);
        if (end != nullptr && is_reached(*end))
            high = middle;
        else
            low = middle + 1;
    }
    low = std::max(low, live.front()->header.number);
    co_return static_cast<std::size_t>(low - live.front()->header.number);
}

// A shard's records may be missing in two places without harm: in the oldest segment, because those
// before it were retired, and in a rewritten one, which drops what is owed to nobody. There the
// reader goes on with what is left, and the shard's trim moves there.
Task<Status> LaneReader::read_disk(ShardUid shard, Ordinal from, ReadLimits limits,
                                   ReadResult& result) {
    auto& live = parts_.segments.live();
    CO_ASSIGN(const std::size_t at, co_await first_segment(shard, [from](const ShardEndEntry& end) {
                  return end.end > from;
              }));
    const SegmentPin pin(*live[at]);
    if (pin->building == nullptr || pin->footer) CO_TRY(co_await parts_.segments.footer(*pin));
    const bool is_allowed = may_lack(*pin);
    CO_TRY(co_await read_segment(*pin, shard, from, is_allowed, limits, result));
    // Trimmed while we waited: the caller begins again there.
    if (!result.batches.empty() || parts_.shards.find(shard)->trim > from) co_return Status{};
    const auto* end = pin->footer ? pin->footer->end_of(shard) : nullptr;
    Ordinal owed = from;
    if (end != nullptr && end->end > from) {
        CO_ASSIGN(owed, co_await first_owed(*pin, shard, from, end->end, is_allowed, {}));
    }
    if (owed == from)
        co_return fail(Errc::Corrupt,
                       fmt::format("shard {} from record {} on, segment {} ({}): they are missing",
                                   shard, from, pin->header.number, pin->name));
    skip_to(shard, owed);
    co_return Status{};
}

// Nothing went before the very first segment.
bool LaneReader::may_lack(const Segment& segment) const {
    const auto number = segment.header.number;
    const bool is_oldest = number == parts_.segments.live().front()->header.number;
    return segment.header.is_rewritten() || (is_oldest && number != 1);
}

// What is missing in a damaged segment was perhaps destroyed there: its index lacks it too.
Task<Result<Ordinal>> LaneReader::first_owed(Segment& segment, ShardUid shard, Ordinal from,
                                             Ordinal to, bool may_lack,
                                             std::optional<std::uint64_t> damaged_at) {
    if (!may_lack) co_return from;
    const bool is_damaged = segment.is_sealed && (segment.seal.flags & kSealDamaged) != 0;
    if (!is_damaged && !damaged_at) co_return to;
    co_return co_await survey_.first_lost(segment, shard, from, to, damaged_at);
}

void LaneReader::skip_to(ShardUid shard, Ordinal ordinal) {
    auto& state = *parts_.shards.find(shard);
    if (state.trim >= ordinal) return;
    state.trim = ordinal;
    state.trim_arrival_ms = -1;
}

Task<Status> LaneReader::read_segment(Segment& segment, ShardUid shard, Ordinal from, bool may_lack,
                                      ReadLimits limits, ReadResult& result) {
    if (segment.footer) {
        auto plan = co_await plan_scattered_read(parts_, segment, shard, from, limits);
        if (!plan.batches.empty())
            result.batches = co_await read_scattered(parts_, shard, std::move(plan));
        if (!result.batches.empty()) {
            result.next = RecordBatchView::trusted(result.batches.back().bytes).end_ordinal();
            if (result.next > from) co_return Status{};
            result.batches.clear();
            result.next = from;
        }
    }
    CommitWalk walk(chunks_, segment, shard);
    if (!walk.start_at(from)) co_return Status{};
    Ordinal begun = from;
    std::size_t bytes = 0;
    const auto damaged = [&](const std::string& what) {
        ++parts_.stats.damaged_ranges;
        return fail(Errc::Corrupt,
                    fmt::format("shard {} from record {} on, segment {} ({}): {}", shard, from,
                                segment.header.number, segment.name, what));
    };
    while (true) {
        CO_ASSIGN(const auto batch, co_await walk.next());
        if (!batch) break;
        const auto& entry = batch->entry;
        if (entry.first_ordinal + entry.count <= from) continue;
        if (is_full(result, bytes, entry.bytes, limits, begun, entry.first_ordinal))
            co_return Status{};
        if (entry.first_ordinal > from) {
            // Something that should be here is not: what was found so far is good, and the next
            // read meets this first.
            if (!result.batches.empty() || parts_.shards.find(shard)->trim > from)
                co_return Status{};
            CO_ASSIGN(const Ordinal owed,
                      co_await first_owed(segment, shard, from, entry.first_ordinal, may_lack,
                                          walk.damaged_at()));
            if (owed == from)
                co_return damaged(walk.damage().empty()
                                      ? fmt::format("the next record is {}", entry.first_ordinal)
                                      : walk.damage());
            skip_to(shard, owed);
            if (owed < entry.first_ordinal) co_return Status{};
            from = begun = owed;
        }
        chunks_.read_ahead(segment, batch->position + entry.bytes);
        CO_ASSIGN(auto slice, co_await chunks_.fetch(segment, batch->position, entry.bytes));
        Status intact;
        if (slice.bytes.size() < entry.bytes) {
            intact = fail(Errc::Corrupt, "the segment is cut short");
        } else {
            auto in_slice = entry;
            in_slice.offset = 0;
            intact = check_batch(slice.bytes, in_slice);
        }
        if (!intact) {
            if (!result.batches.empty()) co_return Status{};
            co_return damaged(intact.error().message);
        }
        bytes += entry.bytes;
        from = entry.first_ordinal + entry.count;
        result.batches.push_back(std::move(slice));
        result.next = from;
    }
    if (!result.batches.empty() || walk.damage().empty()) co_return Status{};
    const auto* end = segment.footer ? segment.footer->end_of(shard) : nullptr;
    Ordinal owed = from;
    if (end != nullptr && end->end > from) {
        CO_ASSIGN(owed,
                  co_await first_owed(segment, shard, from, end->end, may_lack, walk.damaged_at()));
    }
    if (owed == from) co_return damaged(walk.damage());
    skip_to(shard, owed);
    co_return Status{};
}

Task<Result<std::optional<LaneReader::Sought>>> LaneReader::seek_inside(Segment& segment,
                                                                        CommitWalk::Batch batch,
                                                                        std::int64_t arrival_ms) {
    CO_ASSIGN(const auto slice, co_await chunks_.fetch(segment, batch.position, batch.entry.bytes));
    const auto view = RecordBatchView::parse_stamped(slice.bytes);
    if (!view || !view->is_packed() || to_millis(view->last_arrival()) < arrival_ms)
        co_return std::nullopt;
    RecordCursor cursor(*view);
    for (RecordView record; view->payload_is_intact() && cursor.next(record);)
        if (to_millis(cursor.arrival()) >= arrival_ms)
            co_return Sought{cursor.ordinal(), to_millis(cursor.arrival()), true};
    co_return Sought{view->first_ordinal(), to_millis(view->arrival()), false};
}

Task<Result<LaneReader::Sought>> LaneReader::seek_time(ShardUid shard, std::int64_t arrival_ms) {
    const auto* state = parts_.shards.find(shard);
    if (state == nullptr) co_return std::unexpected(no_such_shard(shard));
    if (state->end == 0 || state->last_arrival_ms < arrival_ms) co_return Sought{state->end, -1};
    const auto& runs = state->runs;
    const auto arrival_of = [&](std::size_t i) { return parts_.cache.header(runs[i]).arrival_ms; };
    if (!runs.is_empty() && (runs.front().first <= state->trim || arrival_of(0) < arrival_ms)) {
        std::size_t low = 0, high = runs.size();
        while (low < high) {
            const std::size_t middle = low + (high - low) / 2;
            if (arrival_of(middle) < arrival_ms)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == runs.size() || runs[low].first >= state->end) co_return Sought{state->end, -1};
        co_return Sought{runs[low].first, arrival_of(low)};
    }
    const Sought in_cache =
        runs.is_empty() ? Sought{state->end, -1} : Sought{runs.front().first, arrival_of(0)};
    auto& live = parts_.segments.live();
    CO_ASSIGN(std::size_t at, co_await first_segment(shard, [arrival_ms](const ShardEndEntry& end) {
                  return end.last_arrival_ms >= arrival_ms;
              }));
    while (true) {
        const SegmentPin pin(*live[at]);
        if (pin->building == nullptr || pin->footer) CO_TRY(co_await parts_.segments.footer(*pin));
        CommitWalk walk(chunks_, *pin, shard);
        const bool has_any = walk.start_at_time(arrival_ms);
        // When damage hides what stands before the batch that was found, the reader shall meet it.
        std::optional<CommitWalk::Batch> before;
        for (Ordinal expected = has_any ? walk.first_ordinal() : 0; has_any;) {
            CO_ASSIGN(const auto batch, co_await walk.next());
            const bool is_sure = walk.damage().empty() && (pin->seal.flags & kSealDamaged) == 0;
            const bool is_behind = !batch || batch->arrival_ms >= arrival_ms;
            if (is_behind && before && pin->header.is_rewritten()) {
                CO_ASSIGN(const auto inside, co_await seek_inside(*pin, *before, arrival_ms));
                if (inside) co_return *inside;
            }
            before = batch;
            if (!batch && is_sure) break;
            if (!batch)
                co_return Sought{std::min(in_cache.ordinal, expected), in_cache.arrival_ms, false};
            const Ordinal first = batch->entry.first_ordinal;
            if (batch->arrival_ms >= arrival_ms)
                co_return Sought{is_sure ? first : std::min(first, expected), batch->arrival_ms,
                                 is_sure};
            expected = first + batch->entry.count;
        }
        // Its table of ends names the shard, and its batches were all in retired segments or have
        // been dropped here: then the next segment that has any.
        const auto* end = pin->footer ? pin->footer->end_of(shard) : nullptr;
        if (end == nullptr) co_return in_cache;
        const auto number = pin->header.number;
        CO_ASSIGN(at, co_await first_segment(shard, [from = end->end](const ShardEndEntry& later) {
                      return later.end > from;
                  }));
        if (live[at]->header.number <= number) co_return in_cache;
    }
}

Task<Status> LaneReader::refresh_trim(ShardUid shard) {
    auto* state = parts_.shards.find(shard);
    if (state == nullptr || state->trim >= state->end) co_return Status{};
    if (state->trim_arrival_ms >= 0 && !is_expired(*state, state->trim_arrival_ms))
        co_return Status{};
    const std::int64_t oldest = std::max(to_millis(parts_.wall_now()) - state->retention_ms -
                                             parts_.expiry_lag_ms(state->retention_ms),
                                         state->floor_arrival_ms);
    CO_ASSIGN(const auto first, co_await seek_time(shard, oldest));
    state = parts_.shards.find(shard);
    if (first.is_sure && first.ordinal >= state->trim) {
        state->trim = first.ordinal;
        state->trim_arrival_ms = first.arrival_ms;
    }
    co_return Status{};
}

}  // namespace tidemill

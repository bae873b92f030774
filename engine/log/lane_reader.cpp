#include "engine/log/lane_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/log/scattered_read.h"

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
    const std::int64_t now = to_millis(parts_.wall_now());
    return arrival_ms + state.retention_ms + parts_.expiry_lag_ms(state.retention_ms) < now;
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
        result.tail = state->tail();
        co_return result;
    }
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

Task<Status> LaneReader::read_disk(ShardUid shard, Ordinal from, ReadLimits limits,
                                   ReadResult& result) {
    CO_ASSIGN(std::size_t at, co_await first_segment(shard, [from](const ShardEndEntry& end) {
                  return end.end > from;
              }));
    auto& live = parts_.segments.live();
    const SegmentPin pin(*live[at]);
    if (pin->building == nullptr || pin->footer) CO_TRY(co_await parts_.segments.footer(*pin));
    CO_ASSIGN(const Ordinal first, co_await first_kept(*pin, shard, from));
    if (first > from) {
        auto& state = parts_.shards.get(shard.value);
        state.trim = std::max(state.trim, first);
        state.trim_arrival_ms = -1;
        co_return Status{};
    }
    CO_TRY(co_await read_segment(*pin, shard, from, limits, result));
    if (result.batches.empty())
        co_return fail(Errc::Corrupt,
                       fmt::format("records of shard {} from {} on are missing in segment {} ({})",
                                   shard, from, pin->header.number, pin->name));
    co_return Status{};
}

// What a shard had before the oldest segment went with retired ones, and no trim need say so: after
// a crash perhaps none has been written. In the very first segment that does not follow; in a
// damaged one, whose index may lack what was destroyed, only where all before the shard's first
// batch is intact.
Task<Result<Ordinal>> LaneReader::first_kept(Segment& segment, ShardUid shard, Ordinal from) {
    const bool is_oldest = segment.header.number == parts_.segments.live().front()->header.number;
    if (!is_oldest || segment.header.number == 1) co_return 0;
    const auto& index = segment.footer ? segment.footer->index : segment.building->entries();
    Ordinal kept = 0;
    if (const auto first = index_floor(index, segment.footer != nullptr, shard, 0)) {
        kept = first->first_ordinal;
    } else if (const auto* end = segment.footer ? segment.footer->end_of(shard) : nullptr) {
        kept = end->end;
    }
    const bool is_damaged = segment.is_sealed && (segment.seal.flags & kSealDamaged) != 0;
    if (is_damaged && kept > from) {
        CommitWalk walk(chunks_, segment, shard);
        walk.start_at_first_commit();
        CO_ASSIGN(const auto first, co_await walk.next());
        if (!walk.damage().empty() || !first) co_return 0;
        kept = first->entry.first_ordinal;
    }
    co_return kept;
}

Task<Status> LaneReader::read_segment(Segment& segment, ShardUid shard, Ordinal from,
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
    const Ordinal begun = from;
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
            if (!result.batches.empty()) co_return Status{};
            co_return damaged(walk.damage().empty()
                                  ? fmt::format("the next record is {}", entry.first_ordinal)
                                  : walk.damage());
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
    if (result.batches.empty() && !walk.damage().empty()) co_return damaged(walk.damage());
    co_return Status{};
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
    CO_ASSIGN(std::size_t at, co_await first_segment(shard, [arrival_ms](const ShardEndEntry& end) {
                  return end.last_arrival_ms >= arrival_ms;
              }));
    auto& live = parts_.segments.live();
    // The oldest segment's table of ends names the shard also when its batches were all in retired
    // ones: then the next segment that has any.
    for (auto number = live[at]->header.number;; number = live[at]->header.number) {
        const SegmentPin candidate(*live[at]);
        if (candidate->building == nullptr || candidate->footer)
            CO_TRY(co_await parts_.segments.footer(*candidate));
        if (CommitWalk(chunks_, *candidate, shard).start_at_time(arrival_ms)) break;
        const auto* end = candidate->footer ? candidate->footer->end_of(shard) : nullptr;
        if (end == nullptr) co_return in_cache;
        CO_ASSIGN(at, co_await first_segment(shard, [from = end->end](const ShardEndEntry& later) {
                      return later.end > from;
                  }));
        if (live[at]->header.number <= number) co_return in_cache;
    }
    const SegmentPin pin(*live[at]);
    CommitWalk walk(chunks_, *pin, shard);
    (void)walk.start_at_time(arrival_ms);
    // When damage hides what stands before the batch that was found, the reader shall meet it.
    Ordinal expected = walk.first_ordinal();
    while (true) {
        CO_ASSIGN(const auto batch, co_await walk.next());
        const bool is_sure = walk.damage().empty() && (pin->seal.flags & kSealDamaged) == 0;
        if (!batch)
            co_return Sought{is_sure ? in_cache.ordinal : std::min(in_cache.ordinal, expected),
                             in_cache.arrival_ms, is_sure};
        const Ordinal first = batch->entry.first_ordinal;
        if (batch->arrival_ms >= arrival_ms)
            co_return Sought{is_sure ? first : std::min(first, expected), batch->arrival_ms,
                             is_sure};
        expected = first + batch->entry.count;
    }
}

Task<Status> LaneReader::refresh_trim(ShardUid shard) {
    auto* state = parts_.shards.find(shard);
    if (state == nullptr || state->trim >= state->end) co_return Status{};
    if (state->trim_arrival_ms >= 0 && !is_expired(*state, state->trim_arrival_ms))
        co_return Status{};
    const std::int64_t oldest = to_millis(parts_.wall_now()) - state->retention_ms -
                                parts_.expiry_lag_ms(state->retention_ms);
    CO_ASSIGN(const auto first, co_await seek_time(shard, oldest));
    state = parts_.shards.find(shard);
    if (first.is_sure && first.ordinal >= state->trim) {
        state->trim = first.ordinal;
        state->trim_arrival_ms = first.arrival_ms;
    }
    co_return Status{};
}

}  // namespace tidemill

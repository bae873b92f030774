#include "engine/log/size_bounds.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr std::size_t kStepsMax = 64;
/// How far below its bound a shard is trimmed.
constexpr std::uint64_t kRoomShare = 32;

}  // namespace

void SizeBounds::set_bound(ShardUid shard, std::uint64_t max_bytes) {
    if (max_bytes == 0) {
        ledgers_.erase(shard.value);
        return;
    }
    auto& ledger = ledgers_[shard.value];
    // With a greater bound more of the past counts than was looked at.
    if (max_bytes > ledger.max_bytes) ledger.is_counted = false, ledger.steps.clear();
    ledger.max_bytes = max_bytes;
    ledger.is_changed = true;
}

void SizeBounds::forget() {
    for (auto& [shard, ledger] : ledgers_) {
        ledger.steps.clear();
        ledger.is_counted = false;
    }
    counted_to_ = 0;
}

std::uint64_t SizeBounds::Step::bytes_from(Ordinal trim) const {
    if (trim >= end) return 0;
    if (trim <= first) return bytes;
    return static_cast<std::uint64_t>(
        static_cast<double>(bytes) *
        (static_cast<double>(end - trim) / static_cast<double>(end - first)));
}

void SizeBounds::Ledger::append(const Step& step) {
    if (step.bytes == 0) return;
    is_changed = true;
    if (!steps.empty() && steps.back().segment == step.segment) {
        steps.back() = step;
        return;
    }
    steps.push_back(step);
    if (steps.size() <= kStepsMax) return;
    std::deque<Step> fewer;
    for (std::size_t i = 0; i + 1 < steps.size(); i += 2)
        fewer.push_back({steps[i].segment, steps[i].first, steps[i + 1].end,
                         steps[i].bytes + steps[i + 1].bytes});
    if (steps.size() % 2 != 0) fewer.push_back(steps.back());
    steps = std::move(fewer);
}

SizeBounds::Step SizeBounds::step_of(std::uint64_t number, const SegmentFooter& footer,
                                     std::uint32_t shard) {
    const auto* end = footer.end_of(ShardUid{shard});
    if (end == nullptr || end->bytes8 == 0) return {number, 0, 0, 0};
    const auto first = index_floor(footer.index, true, ShardUid{shard}, 0);
    return {number, first ? first->first_ordinal : 0, end->end, std::uint64_t{end->bytes8} * 8};
}

Task<Status> SizeBounds::count() {
    if (ledgers_.empty() || parts_.segments.live().empty()) co_return Status{};
    CO_TRY(co_await count_new());
    co_return co_await count_old();
}

Task<Status> SizeBounds::count_new() {
    if (counted_to_ == 0) {  // everything is old so far, but what is being written
        counted_to_ = parts_.segments.live().front()->header.number;
        for (const auto& segment : parts_.segments.live())
            if (segment->is_sealed) counted_to_ = segment->header.number + 1;
    }
    for (std::uint64_t number = counted_to_; number <= parts_.segments.live().back()->header.number;
         ++number) {
        auto* const segment = parts_.segments.find(number);
        if (segment == nullptr) continue;
        const SegmentPin pin(*segment);
        // A segment whose seal failed has its footer in memory all the same.
        if (pin->is_sealed || pin->footer != nullptr) {
            CO_ASSIGN(const auto* footer, co_await parts_.segments.footer(*pin));
            for (auto& [shard, ledger] : ledgers_)
                if (ledger.is_counted) ledger.append(step_of(number, *footer, shard));
            counted_to_ = number + 1;
            continue;
        }
        if (pin->building == nullptr) continue;
        const auto& shares = pin->building->shares();
        for (auto& [shard, ledger] : ledgers_) {
            const auto share = shares.find(shard);
            if (!ledger.is_counted || share == shares.end()) continue;
            const std::uint64_t bytes = std::uint64_t{share->second.bytes8} * 8;
            if (!ledger.steps.empty() && ledger.steps.back().segment == number &&
                ledger.steps.back().bytes == bytes)
                continue;
            ledger.append(
                {number, share->second.first, parts_.shards.get(shard).durable_end, bytes});
        }
    }
    co_return Status{};
}

// From the newest segment back, until every shard has as much as it may store.
Task<Status> SizeBounds::count_old() {
    struct Missing {
        std::uint32_t shard;
        std::uint64_t bytes = 0;
        std::deque<Step> steps;
    };
    std::vector<Missing> missing;
    for (const auto& [shard, ledger] : ledgers_)
        if (!ledger.is_counted) missing.push_back({shard, 0, {}});
    if (missing.empty()) co_return Status{};
    std::size_t open = missing.size();
    for (std::uint64_t number = counted_to_; open > 0 && number-- > 1;) {
        auto* const segment = parts_.segments.find(number);
        if (segment == nullptr) break;
        const SegmentPin pin(*segment);
        CO_ASSIGN(const auto* footer, co_await parts_.segments.footer(*pin));
        open = 0;
        for (auto& one : missing) {
            const auto ledger = ledgers_.find(one.shard);
            if (ledger == ledgers_.end() || one.bytes > ledger->second.max_bytes) continue;
            ++open;
            const auto step = step_of(number, *footer, one.shard);
            if (step.bytes == 0) continue;
            one.bytes += step.bytes;
            one.steps.push_front(step);
        }
    }
    for (auto& one : missing) {
        const auto ledger = ledgers_.find(one.shard);
        if (ledger == ledgers_.end()) continue;
        ledger->second.steps = std::move(one.steps);
        ledger->second.is_counted = ledger->second.is_changed = true;
    }
    co_return co_await count_new();
}

std::vector<SizeBounds::Excess> SizeBounds::excess() {
    std::vector<Excess> all;
    for (auto& [shard, ledger] : ledgers_) {
        if (!ledger.is_counted || !ledger.is_changed) continue;
        ledger.is_changed = false;
        const auto* state = parts_.shards.find(ShardUid{shard});
        if (state == nullptr || state->is_deleted) continue;
        while (!ledger.steps.empty() && ledger.steps.front().end <= state->trim)
            ledger.steps.pop_front();
        std::uint64_t stored = 0;
        for (const auto& step : ledger.steps)
            stored += step.bytes_from(state->trim);
        if (stored <= ledger.max_bytes) continue;
        const std::uint64_t kept = ledger.max_bytes - ledger.max_bytes / kRoomShare;
        Excess excess{ShardUid{shard}, state->trim, ledger.steps.front().segment, 0};
        for (const auto& step : ledger.steps) {
            const std::uint64_t bytes = step.bytes_from(state->trim);
            const Ordinal first = std::max(step.first, state->trim);
            excess.last_segment = step.segment;
            if (stored - bytes > kept) {
                stored -= bytes;
                excess.trim = step.end;
                continue;
            }
            const double share = static_cast<double>(stored - kept) / static_cast<double>(bytes);
            excess.trim = std::min(
                step.end,
                first + 1 + static_cast<Ordinal>(share * static_cast<double>(step.end - first)));
            break;
        }
        if (excess.trim > state->trim) all.push_back(excess);
    }
    return all;
}

}  // namespace tidemill

#include "engine/log/damage_survey.h"

#include <algorithm>

namespace tidemill {
namespace {

/// Damage is rare: more segments than this are scanned again.
constexpr std::size_t kKnownMax = 64;

}  // namespace

bool DamageSurvey::Losses::include(std::optional<std::uint64_t> position) const {
    return !position || std::ranges::any_of(ranges, [&](const DamagedRange& range) {
        return *position >= range.position && *position < range.end_position;
    });
}

Task<Result<Ordinal>> DamageSurvey::first_lost(Segment& segment, ShardUid shard, Ordinal from,
                                               Ordinal to,
                                               std::optional<std::uint64_t> damaged_at) {
    if (!segment.is_sealed) co_return from;
    auto known = known_.find(segment.header.salt);
    if (known == known_.end() || !known->second.include(damaged_at)) {
        CO_TRY(segments_.open_file(segment));
        CO_ASSIGN(auto losses, co_await scan(segment));
        if (known_.size() >= kKnownMax) known_.clear();
        known = known_.insert_or_assign(segment.header.salt, std::move(losses)).first;
    }
    const auto& losses = known->second;
    if (!losses.is_complete || !losses.include(damaged_at)) co_return from;
    for (const auto& batch : losses.batches)
        if (batch.shard == shard.value && !batch.is_control() &&
            batch.first_ordinal + batch.count > from)
            to = std::min(to, std::max(from, batch.first_ordinal));
    co_return to;
}

Task<Result<DamageSurvey::Losses>> DamageSurvey::scan(Segment& segment) {
    SegmentScanner scanner(*segment.file, segment.header, segment.seal.last_commit,
                           segment.seal.last_commit + 1);
    while (true) {
        CO_ASSIGN(const auto commit, co_await scanner.next());
        if (!commit) break;
    }
    co_return Losses{scanner.is_all_salvaged(), scanner.salvaged(), scanner.damage()};
}

}  // namespace tidemill

#include "engine/log/segment_claims.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr std::int64_t kForever = INT64_MAX;
constexpr std::int64_t kSearchStepMs = 1000;

std::uint64_t share_of(std::uint64_t bytes, double share) {
    return static_cast<std::uint64_t>(static_cast<double>(bytes) * std::clamp(share, 0.0, 1.0));
}

}  // namespace

SegmentClaims::SegmentClaims(const SegmentFooter& footer, LaneParts& parts) {
    auto entry = footer.index.begin();
    for (const auto& end : footer.ends) {
        if (end.bytes8 == 0) continue;
        while (entry != footer.index.end() && entry->shard < end.shard)
            ++entry;
        const bool is_indexed = entry != footer.index.end() && entry->shard == end.shard;
        add(parts, end.shard, std::uint64_t{end.bytes8} * 8, is_indexed ? entry->first_ordinal : 0,
            end.end, is_indexed ? entry->arrival_ms : end.last_arrival_ms, end.last_arrival_ms);
    }
}

SegmentClaims::SegmentClaims(const SegmentIndexBuilder& building, LaneParts& parts) {
    for (const auto& [shard, share] : building.shares()) {
        const auto* state = parts.shards.find(ShardUid{shard});
        add(parts, shard, std::uint64_t{share.bytes8} * 8, share.first,
            state == nullptr ? share.first : state->durable_end, share.first_arrival_ms,
            share.last_arrival_ms);
    }
}

void SegmentClaims::add(LaneParts& parts, std::uint32_t shard, std::uint64_t bytes, Ordinal first,
                        Ordinal end, std::int64_t first_arrival_ms, std::int64_t last_arrival_ms) {
    total_bytes_ += bytes;
    if (parts.shards.is_gone(shard)) return;
    const auto* state = parts.shards.find(ShardUid{shard});
    if (state == nullptr || !state->is_known) {
        // At a start the catalog may only not have come to it yet.
        claims_.push_back({bytes, kForever, kForever});
        return;
    }
    if (end <= state->trim || last_arrival_ms < state->floor_arrival_ms) return;
    if (state->trim > first && end > first)
        bytes = share_of(bytes,
                         static_cast<double>(end - state->trim) / static_cast<double>(end - first));
    const std::int64_t kept_ms = state->retention_ms + parts.expiry_lag_ms(state->retention_ms);
    claims_.push_back({bytes, first_arrival_ms + kept_ms, last_arrival_ms + kept_ms});
}

std::uint64_t SegmentClaims::live_bytes(std::int64_t at_ms) const {
    std::uint64_t live = 0;
    for (const auto& claim : claims_) {
        if (claim.last_ms < at_ms) continue;
        if (claim.first_ms >= at_ms) {
            live += claim.bytes;
            continue;
        }
        live += share_of(claim.bytes, static_cast<double>(claim.last_ms - at_ms + 1) /
                                          static_cast<double>(claim.last_ms - claim.first_ms + 1));
    }
    return live;
}

std::int64_t SegmentClaims::dead_ms() const {
    std::int64_t last = -1;
    for (const auto& claim : claims_)
        last = std::max(last, claim.last_ms);
    return last == kForever ? kForever : last + 1;
}

SegmentLife SegmentClaims::life(const Segment& segment, std::int64_t now_ms, double live_share,
                                std::uint64_t gain_min) const {
    SegmentLife life;
    life.dead_ms = dead_ms();
    const std::uint64_t used = segment.seal.end_position - segment.header.first_position;
    const std::uint64_t footer = segment.seal.ends_count * sizeof(ShardEndEntry);
    const auto stored = [&](std::int64_t at_ms) {
        if (total_bytes_ == 0) return std::uint64_t{0};
        return share_of(used,
                        static_cast<double>(live_bytes(at_ms)) / static_cast<double>(total_bytes_));
    };
    const auto is_worth_it = [&](std::int64_t at_ms) {
        const std::uint64_t after = stored(at_ms) + kSegmentDataStart + footer;
        return static_cast<double>(live_bytes(at_ms)) <
                   live_share * static_cast<double>(std::max<std::uint64_t>(total_bytes_, 1)) &&
               segment.file_bytes >= after + gain_min;
    };
    life.live_bytes = stored(now_ms);
    life.rewrite_ms = kForever;
    std::int64_t latest = now_ms;
    for (const auto& claim : claims_)
        if (claim.last_ms != kForever) latest = std::max(latest, claim.last_ms + 1);
    if (is_worth_it(now_ms)) {
        life.rewrite_ms = now_ms;
    } else if (is_worth_it(latest)) {
        std::int64_t too_soon = now_ms;
        while (latest - too_soon > kSearchStepMs) {
            const std::int64_t middle = too_soon + (latest - too_soon) / 2;
            (is_worth_it(middle) ? latest : too_soon) = middle;
        }
        life.rewrite_ms = latest;
    }
    return life;
}

}  // namespace tidemill

#include "engine/log/retention.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/log/packing_gain.h"
#include "engine/log/segment_claims.h"
#include "engine/log/trims.h"

namespace tidemill {
namespace {

/// Footers read in one tick.
constexpr std::uint32_t kLooksPerRound = 64;
/// The segment that is being written is not ended sooner for the sake of space.
constexpr std::int64_t kNewestAgeMinMs = 5'000;
/// How often the newest segment is looked at when no policy changes.
constexpr auto kNewestEvery = 10s;
constexpr auto kShrinkingFor = 10s;
constexpr int kReaderPatience = 100;  // times 10 ms
constexpr auto kRewriteAgainAfter = 5s;
/// What goes so soon is not packed before.
constexpr std::int64_t kPackLifeMinMs = 15 * 60'000;
constexpr auto kRewriteAgainAfterError = 30s;

}  // namespace

Retention::Retention(LaneParts& parts, CommitWriter& writer)
    : parts_(parts), writer_(writer), rewriter_(parts, writer, is_interrupted_), sizes_(parts) {}

Task<void> Retention::let_go() {
    if (is_looking_) co_return;
    is_looking_ = true;
    if (!sizes_.is_empty()) co_await keep_sizes();
    co_await look_at_segments();
    if (!is_interrupted_) {
        retire_dead();
        co_await parts_.segments.free_left();
    }
    is_looking_ = false;
}

Task<void> Retention::segment_sealed() {
    if (!sizes_.is_empty() && !is_interrupted_) co_await let_go();
}

Task<void> Retention::round() {
    co_await let_go();
    if (is_interrupted_) co_return;
    end_newest_when_dead();
    start_rewriting();
    drop_idle_spares();
}

Task<void> Retention::look_at_segments() {
    auto& live = parts_.segments.live();
    if (live.empty()) co_return;
    std::uint32_t looks = 0;
    for (auto number = live.front()->header.number;
         !live.empty() && number <= live.back()->header.number; ++number) {
        auto* const segment = parts_.segments.find(number);
        if (segment == nullptr || !segment->is_sealed || segment->life.policy == policy()) continue;
        if (++looks > kLooksPerRound || is_interrupted_) co_return;
        const SegmentPin pin(*segment);
        const auto looked_at = policy();
        const auto footer = co_await parts_.segments.footer(*pin);
        if (!footer) {
            parts_.report("retention: " + footer.error().to_string());
            continue;
        }
        const bool is_unfit = pin->life.is_unfit;
        const auto shrunk_at = pin->life.shrunk_at;
        pin->life = SegmentClaims(**footer, parts_)
                        .life(*pin, now_ms(), parts_.config.rewrite_live_share,
                              parts_.config.rewrite_gain_min);
        pin->life.policy = looked_at;
        pin->life.is_unfit = is_unfit;
        pin->life.shrunk_at = shrunk_at;
        pin->life.pack_gain = worth_packing(*pin, **footer);
    }
}

std::uint64_t Retention::worth_packing(const Segment& segment, const SegmentFooter& footer) const {
    const auto& config = parts_.config;
    if (!config.packs || segment.life.is_unfit || config.rewrite_bytes_per_second == 0) return 0;
    const std::uint64_t gain = packing_gain(segment, footer);
    const auto used = static_cast<double>(segment.seal.end_position - kSegmentDataStart);
    const bool is_worth_it =
        gain >= config.pack_gain_min && static_cast<double>(gain) >= config.pack_gain_share * used;
    return is_worth_it ? gain : 0;
}

void Retention::retire_dead() {
    auto& live = parts_.segments.live();
    // The newest ends table alone tells where idle shards stand: with it gone, a start would give
    // their ordinals a second time.
    while (live.size() > 1 && live[1]->is_sealed) {
        const auto& oldest = *live.front();
        if (!oldest.is_sealed || oldest.life.policy != policy() || oldest.life.dead_ms > now_ms() ||
            oldest.header.number == rewriting_)
            return;
        parts_.stats.freed_bytes += oldest.file_bytes;
        parts_.segments.retire_oldest();
    }
}

// A stream that was deleted may have most of its records in the segment that is being written, and
// an idle lane would not leave it for days.
void Retention::end_newest_when_dead() {
    const auto* newest = writer_.segment();
    if (newest == nullptr || newest->building == nullptr) return;
    const auto now = parts_.mono_now();
    const bool is_idle = busy_at_ != MonoTime{} && commits_ == parts_.stats.commits &&
                         now - busy_at_ >= parts_.config.idle_after;
    if (!is_idle && newest_policy_ == policy() && now < newest_again_) return;
    if (now_ms() - newest->header.created_ms < kNewestAgeMinMs) return;
    const SegmentClaims claims(*newest->building, parts_);
    const std::uint64_t total = claims.total_bytes(), live = claims.live_bytes(now_ms());
    // Nothing but controls in a large file, and nothing more is coming.
    const bool is_hollow =
        is_idle && live == 0 &&
        newest->file_bytes >= newest->end_position + parts_.config.rewrite_gain_min;
    const bool is_dead =
        static_cast<double>(live) < parts_.config.rewrite_live_share * static_cast<double>(total) &&
        total - live >= parts_.config.rewrite_gain_min;
    if ((is_dead || is_hollow) && !writer_.end_segment()) return;  // busy: next tick
    newest_policy_ = policy();
    newest_again_ = now + kNewestEvery;
}

Task<void> Retention::keep_sizes() {
    if (const auto counted = co_await sizes_.count(); !counted) {
        parts_.report("sizes: " + counted.error().to_string());
        co_return;
    }
    const auto excess = sizes_.excess();
    if (excess.empty()) co_return;
    Trims trims;
    for (const auto& one : excess)
        trims.emplace_back(one.shard, one.trim);
    if (!co_await commit_trims(writer_, std::move(trims))) co_return;  // the next tick tries again
    parts_.stats.size_trims += excess.size();
    for (const auto& one : excess)
        for (auto number = one.first_segment; number <= one.last_segment; ++number)
            if (auto* const segment = parts_.segments.find(number)) {
                segment->life.policy = 0;
                segment->life.shrunk_at = {};
            }
    // Those before it have lost all that the bound takes of the shard.
    for (const auto& one : excess)
        if (auto* const segment = parts_.segments.find(one.last_segment))
            segment->life.shrunk_at = parts_.mono_now();
    newest_policy_ = 0;
}

void Retention::start_rewriting() {
    if (rewriting_ != 0 || is_interrupted_ || parts_.config.rewrite_bytes_per_second == 0 ||
        parts_.mono_now() < rewrite_again_ || parts_.gate.is_closed())
        return;
    // What frees most goes first; when space is short, what needs least.
    const bool is_short = !parts_.segments.has_room_for_producers();
    const auto& live = parts_.segments.live();
    const std::int64_t now = now_ms();
    const Segment* best = nullptr;
    for (const auto& segment : live) {
        const auto& life = segment->life;
        if (!segment->is_sealed || life.policy != policy() || life.is_unfit ||
            life.rewrite_ms > now)
            continue;
        // What a bound on bytes goes on taking from it will soon be all.
        if (life.shrunk_at != MonoTime{} && parts_.mono_now() - life.shrunk_at < kShrinkingFor)
            continue;
        // The oldest will be retired whole.
        if (segment == live.front() && live.size() > 1 && life.dead_ms <= now) continue;
        const auto gain = [](const Segment& of) { return of.file_bytes - of.life.live_bytes; };
        if (best == nullptr ||
            (is_short ? life.live_bytes < best->life.live_bytes : gain(*segment) > gain(*best)))
            best = segment.get();
    }
    const bool is_packing = best == nullptr;
    if (is_packing) best = next_to_pack(now);
    if (best == nullptr) return;
    is_packing_ = is_packing;
    rewriting_ = best->header.number;
    parts_.reactor.spawn(parts_.gate, rewrite(rewriting_));
}

// What packing makes most of.
const Segment* Retention::next_to_pack(std::int64_t now) const {
    const Segment* best = nullptr;
    for (const auto& segment : parts_.segments.live()) {
        const auto& life = segment->life;
        if (!segment->is_sealed || life.policy != policy() || life.is_unfit ||
            life.pack_gain == 0 || life.dead_ms - kPackLifeMinMs <= now)
            continue;
        if (life.shrunk_at != MonoTime{} && parts_.mono_now() - life.shrunk_at < kShrinkingFor)
            continue;
        if (best == nullptr || life.pack_gain > best->life.pack_gain) best = segment.get();
    }
    return best;
}

Task<void> Retention::rewrite(std::uint64_t number) {
    const auto* segment = parts_.segments.find(number);
    const std::uint64_t bytes =
        segment == nullptr
            ? 0
            : segment->life.live_bytes + segment->seal.ends_count * sizeof(ShardEndEntry) +
                  segment->seal.producers_count * sizeof(ProducedBatch) + 64_KiB;
    const auto status = co_await rewriter_.rewrite(number, bytes);
    rewriting_ = 0;
    if (status && is_packing_) ++parts_.stats.segments_packed;
    if (status) co_return;
    const auto code = status.error().code;
    if (code != Errc::Unavailable)
        parts_.report(fmt::format("segment {} could not be rewritten: {}", number,
                                  status.error().to_string()));
    rewrite_again_ =
        parts_.mono_now() + (code == Errc::IoFailed ? kRewriteAgainAfterError : kRewriteAgainAfter);
    if (code == Errc::Corrupt)
        if (auto* const failed = parts_.segments.find(number)) failed->life.is_unfit = true;
}

void Retention::drop_idle_spares() {
    const auto now = parts_.mono_now();
    if (commits_ != parts_.stats.commits || busy_at_ == MonoTime{}) {
        commits_ = parts_.stats.commits;
        busy_at_ = now;
    }
    if (now - busy_at_ < parts_.config.idle_after || !writer_.is_quiet()) return;
    busy_at_ = now;  // not every tick
    std::uint64_t held = 0;
    for (const auto& segment : parts_.segments.live())
        held += segment->file_bytes;
    const auto& space = parts_.segments.space();
    const bool is_tight = space.total() != 0 && space.used() > space.total() / 10 * 9;
    parts_.segments.drop_spares(
        std::max<std::uint64_t>(is_tight ? 0 : held / 4, parts_.config.first_segment_bytes));
}

Task<bool> Retention::make_room(std::uint64_t bytes) {
    if (parts_.config.when_full != WhenFull::DropOldest) co_return false;
    auto& live = parts_.segments.live();
    if (live.size() < 2 || !live.front()->is_sealed || !live[1]->is_sealed ||
        live.front()->header.number == rewriting_)
        co_return false;
    const auto& oldest = *live.front();
    const bool is_known = oldest.life.policy == policy();
    const std::uint64_t owed =
        is_known ? oldest.life.live_bytes : oldest.end_position - oldest.header.first_position;
    if (!is_known || oldest.life.dead_ms > now_ms()) {
        ++parts_.stats.dropped_early_segments;
        parts_.stats.dropped_early_bytes += owed;
        parts_.report(
            fmt::format("no room for {} bytes: segment {} with {} bytes that were still "
                        "owed is dropped",
                        bytes, oldest.header.number, owed));
    }
    parts_.stats.freed_bytes += oldest.file_bytes;
    parts_.segments.retire_oldest();
    parts_.shards.each([](std::uint32_t, ShardState& state) { state.trim_arrival_ms = -1; });
    // A reader that stands in it is soon through; more must not go because of it.
    for (int i = 0; i < kReaderPatience; ++i) {
        co_await parts_.segments.free_left();
        if (!parts_.segments.has_left() ||
            !co_await parts_.gate.sleep_until(parts_.mono_now() + 10ms))
            break;
    }
    co_return true;
}

void Retention::fill_stats(LogStats& stats) const {
    for (const auto& segment : parts_.segments.live()) {
        if (!segment->is_sealed) continue;
        const auto& life = segment->life;
        const bool is_to_pack = life.policy == 0 || (life.pack_gain > 0 && !life.is_unfit &&
                                                     life.dead_ms - kPackLifeMinMs > now_ms());
        if (parts_.config.packs && is_to_pack) ++stats.segments_to_pack;
        const std::uint64_t live =
            life.policy == 0 ? segment->file_bytes : std::min(life.live_bytes, segment->file_bytes);
        stats.live_bytes += live;
        stats.dead_bytes += segment->file_bytes - live;
    }
}

}  // namespace tidemill

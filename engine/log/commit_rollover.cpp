// CommitWriter: where one segment ends and the next begins.
#include <algorithm>

#include <fmt/format.h>

#include "engine/log/commit_writer.h"

namespace tidemill {

void CommitWriter::end_background() {
    --background_;
    parts_.reactor.request_turn_end(wake_);
}

// A failure here is met again when the file is needed.
Task<void> CommitWriter::prepare_spare() {
    (void)co_await parts_.segments.prepare_spare(kBlockBytes);
    end_background();
}

Task<void> CommitWriter::roll_over_and_prepare() {
    Segment* const old = segment_;
    auto state = parts_.sealed_state();
    const auto last = next_number_ - 1;
    const auto check = last_check_;
    const bool is_begun = co_await roll_over();
    is_rolling_ = false;
    parts_.reactor.request_turn_end(wake_);
    if (is_begun && old != nullptr &&
        co_await seal(*old, std::move(state), last, check, GiveBack::Nothing) && sealed_)
        sealed_();
    if (is_begun && !is_broken_ && !is_stopping_) co_return co_await prepare_spare();
    end_background();
}

// A commit's header says up to which number everything was durable, and a segment's header that all
// before it was: neither may be written before it is true.
Task<Status> CommitWriter::make_durable() {
    if (segment_ == nullptr || durable_number_ == written_number_) co_return Status{};
    const SegmentPin pin(*segment_);
    const std::uint64_t written = written_number_;
    auto synced = co_await pin->file->sync();
    if (synced) durable_number_ = std::max(durable_number_, written);
    co_return synced;
}

Task<void> CommitWriter::sync_written() {
    ++background_;
    auto synced = co_await make_durable();
    if (!synced) break_lane(std::move(synced).error());
    end_background();
}

bool CommitWriter::end_segment() {
    if (segment_ == nullptr || !pending_.empty() || !in_flight_.empty() || is_rolling_ ||
        is_broken_ || is_stopping_ || ahead_.is_busy() || durable_number_ != written_number_)
        return false;
    auto* const old = std::exchange(segment_, nullptr);
    ++background_;
    parts_.reactor.spawn(parts_.gate,
                         seal_ended(*old, parts_.sealed_state(), next_number_ - 1, last_check_));
    return true;
}

Task<void> CommitWriter::seal_ended(Segment& old, SealedState state, std::uint64_t last,
                                    std::uint32_t check) {
    (void)co_await seal(old, std::move(state), last, check, GiveBack::Rest);
    end_background();
}

Task<bool> CommitWriter::seal(Segment& segment, SealedState state, std::uint64_t last,
                              std::uint32_t check, GiveBack what) {
    const auto sealed = co_await parts_.segments.seal_segment(segment, std::move(state), last,
                                                              check, false, what == GiveBack::Rest);
    if (!sealed)
        parts_.report(fmt::format("segment {} has no footer: {}", segment.header.number,
                                  sealed.error().to_string()));
    co_return sealed.has_value();
}

Task<bool> CommitWriter::roll_over() {
    if (auto synced = co_await make_durable(); !synced) {
        break_lane(std::move(synced).error());
        co_return false;
    }
    const auto& first = *pending_.front();
    const std::uint64_t position = kSegmentDataStart + first.begin % kBlockBytes;
    const std::uint64_t needed = align_up(position + first.bytes(), kBlockBytes);
    auto prepared = co_await parts_.segments.prepare_spare(needed);
    while (!prepared && prepared.error().code == Errc::NoSpace && make_room_ &&
           co_await make_room_(needed))
        prepared = co_await parts_.segments.prepare_spare(needed);
    if (!prepared) {
        if (no_space_.empty()) parts_.report("no new segment: " + prepared.error().to_string());
        no_space_ = prepared.error().message;
        no_space_until_ = parts_.mono_now() + parts_.config.tick;
        if (parts_.config.durability == LogDurability::Disk || is_stopping_)
            refuse_pending(
                prepared.error().code == Errc::NoSpace ? Errc::NoSpace : Errc::Unavailable,
                prepared.error().message);
        co_return false;
    }
    if (!no_space_.empty()) parts_.report("there is room for segments again");
    no_space_.clear();
    no_space_until_ = {};
    const auto begun = co_await parts_.segments.begin_segment(next_number_, last_check_, position,
                                                              parts_.wall_now());
    if (!begun) {
        break_lane(begun.error());
        co_return false;
    }
    segment_ = *begun;
    end_position_ = position;
    co_return true;
}

}  // namespace tidemill

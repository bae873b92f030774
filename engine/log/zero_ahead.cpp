#include "engine/log/zero_ahead.h"

#include <algorithm>
#include <cstring>

namespace tidemill {
namespace {

constexpr std::size_t kStep = 512_KiB;
constexpr std::uint64_t kAhead = 8_MiB;
/// Commits larger than this on average gain nothing (measured: docs/decisions/0004).
constexpr double kLargeCommit = 96_KiB;
/// Left free behind what is known to be written soon, so that commits and zeros seldom meet.
constexpr std::uint64_t kGuard = 64_KiB;

}  // namespace

void ZeroAhead::go_on(Segment* segment, std::uint64_t end_position, std::size_t waiting_bytes) {
    if (is_busy_ || average_ > kLargeCommit) return;
    std::uint64_t ahead = kAhead;
    if (segment != nullptr) {
        const std::uint64_t near = end_position + waiting_bytes + kGuard;
        segment->written =
            std::min(segment->file_bytes, std::max(segment->written, align_up(near, kBlockBytes)));
        if (segment->written < segment->file_bytes) {
            if (segment->written < end_position + ahead)
                begin(*segment->file, segment->written, segment->file_bytes);
            return;
        }
        ahead -= std::min(ahead, segment->file_bytes - std::min(segment->file_bytes, end_position));
    }
    if (parts_.segments.spares().is_empty()) return;
    auto& spare = parts_.segments.spares().next();
    if (spare.written < std::min(spare.bytes, ahead))
        begin(*spare.file, spare.written, spare.bytes);
}

// The place is taken before the task first runs: a commit must not slip in front of it.
void ZeroAhead::begin(File& file, std::uint64_t& written, std::uint64_t end) {
    if (!zeros_) {
        zeros_ = Buffer::allocate(kStep);
        std::memset(zeros_.data(), 0, kStep);
    }
    is_busy_ = true;
    file_ = &file;
    from_ = written;
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(kStep, end - from_));
    parts_.reactor.spawn(parts_.gate, step(file, written, bytes));
}

Task<void> ZeroAhead::step(File& file, std::uint64_t& written, std::size_t bytes) {
    // Not durable: after a loss of power the range reads as zeros, written or not. An error here is
    // met again by the commit that needs the place.
    (void)co_await file.write(from_, zeros_.bytes().first(bytes), Persistence::Cached);
    written = from_ + bytes;
    is_busy_ = false;
    parts_.reactor.request_turn_end(wake_);
}

}  // namespace tidemill

#include "engine/io/sim_file_state.h"

#include <algorithm>
#include <vector>

namespace tidemill {
namespace {

constexpr std::uint64_t kPage = SimBytes::kPage;

/// Calls `visit(offset, part)` for each sector's share of a write.
template <class Visit>
void for_each_sector(std::uint64_t offset, Bytes bytes, Visit visit) {
    while (!bytes.empty()) {
        const std::size_t part = std::min(bytes.size(), kSimSector - offset % kSimSector);
        visit(offset, bytes.first(part));
        offset += part;
        bytes = bytes.subspan(part);
    }
}

}  // namespace

std::size_t SimFileState::read(std::uint64_t offset, MutableBytes into) const {
    if (offset >= size_) return 0;
    const std::size_t length = std::min<std::uint64_t>(into.size(), size_ - offset);
    seen_.read(offset, into.first(length));
    return length;
}

void SimFileState::write(std::uint64_t offset, Bytes bytes, bool is_durable) {
    if (bytes.empty()) return;
    const std::uint64_t end = offset + bytes.size();
    seen_.write(offset, bytes);
    size_ = std::max(size_, end);
    if (is_durable && end <= grown_from_) {
        // A device writes whole sectors: what stood beside these bytes becomes durable with them.
        const std::uint64_t first = align_down(offset, kSimSector);
        durable_.copy(seen_, first, align_up(end, kSimSector) - first);
        durable_size_ = std::max(durable_size_, end);
    } else {
        const std::uint64_t pages = align_up(end, kPage) / kPage;
        if (dirty_pages_.size() < pages) dirty_pages_.resize(pages);
        for (std::uint64_t page = offset / kPage; page < pages; ++page)
            dirty_pages_[page] = true;
    }
}

void SimFileState::write_some(std::uint64_t offset, Bytes bytes, Random& random) {
    for_each_sector(offset, bytes, [&](std::uint64_t at, Bytes part) {
        if (random.chance(0.5)) write(at, part, false);
    });
}

void SimFileState::grow(std::uint64_t length) {
    grown_from_ = std::min(grown_from_, size_);
    const std::vector<std::byte> zeros(length);
    write(size_, zeros, false);
}

void SimFileState::punch(std::uint64_t offset, std::uint64_t length) {
    seen_.punch(offset, length);
    durable_.punch(offset, length);
    // What waited there for a sync is gone with it, or the sync would write the hole again.
    const std::uint64_t end =
        std::min<std::uint64_t>((offset + length) / kPage, dirty_pages_.size());
    for (std::uint64_t page = align_up(offset, kPage) / kPage; page < end; ++page)
        dirty_pages_[page] = false;
}

void SimFileState::sync() {
    for (std::uint64_t page = 0; page < dirty_pages_.size(); ++page)
        if (dirty_pages_[page]) durable_.copy(seen_, page * kPage, kPage);
    dirty_pages_.clear();
    durable_size_ = size_;
    grown_from_ = UINT64_MAX;
}

void SimFileState::flip_bit(std::uint64_t offset, unsigned bit) {
    seen_.flip_bit(offset, bit);
    durable_.flip_bit(offset, bit);
}

void SimFileState::plant(std::uint64_t offset, Bytes bytes) {
    seen_.write(offset, bytes);
    durable_.write(offset, bytes);
}

void SimFileState::lose_unsynced(PowerLoss style, Random& random) {
    const bool keeps_size =
        style == PowerLoss::KeepAll || (style == PowerLoss::Chance && random.chance(0.5));
    if (keeps_size) durable_size_ = size_;
    for (std::uint64_t page = 0; page < dirty_pages_.size(); ++page) {
        if (!dirty_pages_[page]) continue;
        const std::uint64_t fate =
            style == PowerLoss::Chance ? random.below(3) : (style == PowerLoss::KeepAll ? 2 : 0);
        for (std::uint64_t at = page * kPage; at < (page + 1) * kPage; at += kSimSector)
            if (fate == 2 || (fate == 1 && random.chance(0.5)))
                durable_.copy(seen_, at, kSimSector);
    }
    dirty_pages_.clear();
}

void SimFileState::lose_in_flight(std::uint64_t offset, Bytes bytes, PowerLoss style,
                                  Random& random) {
    const bool is_by_chance = style == PowerLoss::Chance || style == PowerLoss::ProcessOnly;
    const std::uint64_t fate =
        is_by_chance ? random.below(3) : (style == PowerLoss::KeepAll ? 2 : 0);
    for_each_sector(offset, bytes, [&](std::uint64_t at, Bytes part) {
        if (fate == 0 || (fate == 1 && random.chance(0.5))) return;
        if (style == PowerLoss::ProcessOnly) return write(at, part, false);
        durable_.write(at, part);
        durable_size_ = std::max(durable_size_, at + part.size());
    });
}

void SimFileState::restart() {
    durable_.truncate(durable_size_);
    seen_ = durable_;
    size_ = durable_size_;
    dirty_pages_.clear();
    grown_from_ = UINT64_MAX;
}

}  // namespace tidemill

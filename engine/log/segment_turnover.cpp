// SegmentStore: which file of a segment counts, how one takes another's place, and what their space
// is charged to. Format: docs/formats/segment.md, "Rewritten segments".
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "engine/io/buffer.h"
#include "engine/log/segment_store.h"

namespace tidemill {
namespace {

Task<Status> write_header(File& file, const SegmentHeader& header) {
    const Buffer block = Buffer::allocate(kBlockBytes);
    write_block(block.bytes(), header);
    co_return co_await file.write(0, block.bytes(), Persistence::Durable);
}

bool counts_more(const Segment& a, const Segment& b) {
    if (a.is_sealed != b.is_sealed) return a.is_sealed;
    return a.header.generation > b.header.generation;
}

}  // namespace

Segment* SegmentStore::find(std::uint64_t number) {
    if (live_.empty() || number < live_.front()->header.number ||
        number > live_.back()->header.number)
        return nullptr;
    return live_[static_cast<std::size_t>(number - live_.front()->header.number)].get();
}

bool SegmentStore::has_pins() const {
    const auto is_pinned = [](const auto& segment) { return segment->pins > 0; };
    return std::ranges::any_of(live_, is_pinned) || std::ranges::any_of(left_, is_pinned);
}

// A header torn by a crash may stand in one of its two places only, with an older use of the file
// in the other. Before the predecessor goes it is made whole.
Task<Status> SegmentStore::choose_generations(std::vector<std::unique_ptr<Segment>>& found) {
    std::ranges::sort(found, {}, [](const auto& segment) { return segment->header.number; });
    std::vector<std::unique_ptr<Segment>> chosen;
    bool has_removed = false;
    for (auto& segment : found) {
        if (chosen.empty() || chosen.back()->header.number != segment->header.number) {
            chosen.push_back(std::move(segment));
            continue;
        }
        auto& best = chosen.back();
        if (counts_more(*segment, *best)) std::swap(segment, best);
        CO_TRY(open_file(*best));
        CO_TRY(co_await write_header(*best->file, best->header));
        CO_TRY(co_await disk_.sync_directory(folder_));
        CO_TRY(disk_.remove(path(segment->name)));
        has_removed = true;
    }
    // Before the form that counts can be retired: the other one would be all that claims the
    // number.
    if (has_removed) CO_TRY(co_await disk_.sync_directory(folder_));
    found = std::move(chosen);
    co_return Status{};
}

Status SegmentStore::admit(std::uint64_t bytes, SpaceUse use) {
    if (!space_.try_take(bytes, use))
        return fail(Errc::NoSpace,
                    fmt::format("the log holds {} bytes; {} more would exceed its budget of {}{}",
                                space_.used(), bytes, space_.total(),
                                space_.bound(use) == space_.total()
                                    ? std::string()
                                    : fmt::format(", of which {} are kept for upkeep",
                                                  space_.total() - space_.bound(use))));
    charged_ += bytes;
    if (config_.disk_free_bytes == 0) return {};
    const std::uint64_t kept = config_.disk_free_bytes / (use == SpaceUse::Upkeep ? 2 : 1);
    const auto free = disk_.free_bytes();
    if (!free || *free >= bytes + kept) return {};
    settle_space();
    return fail(
        Errc::NoSpace,
        fmt::format("the disk has {} bytes free, {} of which are to stay free", *free, kept));
}

std::uint64_t SegmentStore::bytes_on_disk() const {
    std::uint64_t bytes = spares_.bytes() + rewriting_bytes_;
    for (const auto& segment : live_)
        bytes += segment->file_bytes;
    for (const auto& segment : left_)
        bytes += segment->file_bytes;
    return bytes;
}

// The sum is taken anew each time: a difference that was forgotten once would stay for ever.
void SegmentStore::settle_space() {
    const std::uint64_t actual = bytes_on_disk();
    if (actual > charged_) space_.take(actual - charged_);
    if (actual < charged_) space_.give_back(charged_ - actual);
    charged_ = actual;
}

bool SegmentStore::has_room_for_producers() {
    if (!spares_.is_empty()) return true;
    const std::uint64_t needed = spares_.next_bytes();
    const std::uint64_t bound = space_.bound(SpaceUse::Producers);
    if (bound != 0 && space_.used() + needed > bound) return false;
    if (config_.disk_free_bytes == 0) return true;
    const auto free = disk_.free_bytes();
    return !free || *free >= needed + config_.disk_free_bytes;
}

// A file that cannot be cleared loses its name instead, as durably, once nobody needs it.
Task<Status> SegmentStore::clear(Segment& segment) {
    const SegmentPin pin(segment);
    if (open_file(segment)) {
        const Buffer block = Buffer::allocate(kBlockBytes);
        std::memset(block.data(), 0, kBlockBytes);
        if (co_await segment.file->write(0, block.bytes(), Persistence::Durable))
            co_return Status{};
    }
    segment.seal.flags |= kSealPunched;  // not to be used again
    if (segment.pins > 1) co_return fail(Errc::Unavailable, "the segment is being read");
    CO_ASSIGN(const auto names, disk_.list(folder_));
    if (std::ranges::find(names, segment.name) != names.end())
        CO_TRY(disk_.remove(path(segment.name)));
    co_return co_await disk_.sync_directory(folder_);
}

// Clearing comes first and in order, so that after a crash the files that still claim a number are
// without a gap: what cannot be cleared keeps those behind it waiting.
Task<void> SegmentStore::free_left() {
    if (is_freeing_ || left_.empty()) co_return;
    is_freeing_ = true;
    for (std::size_t i = 0; i < left_.size(); ++i) {
        if (left_[i]->is_cleared) continue;
        if (!co_await clear(*left_[i])) break;
        left_[i]->is_cleared = true;
    }
    for (std::size_t i = 0; i < left_.size();) {
        if (left_[i]->pins > 0 || !left_[i]->is_cleared) {
            ++i;
            continue;
        }
        auto segment = std::move(left_[i]);
        left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(i));
        free_file(std::move(segment));
    }
    is_freeing_ = false;
    settle_space();
}

void SegmentStore::drop_spares(std::uint64_t bytes) {
    stats_.segments_removed += spares_.drop(bytes);
    settle_space();
}

Task<Status> SegmentStore::prepare_spare(std::uint64_t bytes) {
    auto prepared = co_await spares_.prepare(bytes);
    settle_space();
    co_return prepared;
}

Result<std::unique_ptr<Segment>> SegmentStore::begin_rewritten(const Segment& source,
                                                               std::uint64_t bytes) {
    TM_CHECK(rewriting_bytes_ == 0, "two rewritings at once");
    TRY(admit(bytes, SpaceUse::Upkeep));
    rewriting_bytes_ = bytes;
    auto segment = std::make_unique<Segment>();
    segment->name = spares_.new_name();
    auto file = disk_.open(path(segment->name), {.create = true});
    if (!file) {
        rewriting_bytes_ = 0;
        settle_space();
        return std::unexpected(std::move(file).error());
    }
    segment->file = std::move(*file);
    auto& header = segment->header;
    header = source.header;
    header.salt = random_.next() ^ (header.number * 0x9e3779b97f4a7c15);
    header.generation = source.header.generation + 1;
    header.oldest_segment = std::max(header.oldest_segment, live_.front()->header.number);
    header.first_position = kSegmentDataStart;
    segment->end_position = kSegmentDataStart;
    segment->building = std::make_unique<SegmentIndexBuilder>();
    return segment;
}

Task<Status> SegmentStore::finish_rewritten(std::unique_ptr<Segment> rewritten) {
    const auto number = rewritten->header.number;
    auto durable = co_await disk_.sync_directory(folder_);
    if (durable) durable = co_await write_header(*rewritten->file, rewritten->header);
    rewriting_bytes_ = 0;
    // The header may stand there all the same: it must be gone before its predecessor's is.
    if (!durable) {
        left_.push_back(std::move(rewritten));
        co_await free_left();
        co_return durable;
    }
    if (auto* const old = find(number); old != nullptr) {
        auto& place = live_[static_cast<std::size_t>(number - live_.front()->header.number)];
        std::swap(place, rewritten);
    }
    left_.push_back(std::move(rewritten));  // what it replaced, or itself: retired meanwhile
    co_await free_left();
    co_return Status{};
}

void SegmentStore::abandon_rewritten(std::unique_ptr<Segment> rewritten) {
    rewritten->file.reset();
    (void)disk_.remove(path(rewritten->name));
    rewriting_bytes_ = 0;
    settle_space();
}

}  // namespace tidemill

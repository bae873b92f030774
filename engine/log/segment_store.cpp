#include "engine/log/segment_store.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "engine/base/crc32c.h"
#include "engine/io/buffer.h"
#include "engine/log/segment_scanner.h"
#include "engine/log/shard_table.h"

namespace tidemill {
namespace {

constexpr std::uint64_t kReturnWorth = 256_KiB;  // a smaller tail is not worth giving back

/// Written before ends tables said how many bytes each shard has.
bool lacks_shares(const SegmentFooter& footer) {
    return !footer.index.empty() && std::ranges::all_of(footer.ends, [](const ShardEndEntry& end) {
        return end.bytes8 == 0;
    });
}

bool is_spare_name(const std::string& name) { return name.starts_with("file-"); }

}  // namespace

SegmentStore::SegmentStore(Disk& disk, const LogConfig& config, SpaceBudget& space,
                           std::string folder, std::uint64_t log_id, LaneId lane,
                           std::uint64_t seed, LogStats& stats)
    : disk_(disk),
      config_(config),
      space_(space),
      folder_(std::move(folder)),
      log_id_(log_id),
      lane_(lane),
      random_(seed),
      stats_(stats),
      spares_(disk, config, folder_,
              [this](std::uint64_t bytes) { return admit(bytes, SpaceUse::Producers); }) {}

SegmentStore::~SegmentStore() { space_.give_back(charged_); }

Task<Status> SegmentStore::load() {
    live_.clear();
    left_.clear();
    rewriting_bytes_ = 0;
    spares_.start(0, 0);
    next_segment_ = 1;
    std::uint64_t last_file = 0;
    CO_TRY(disk_.make_directory(folder_));
    CO_TRY(co_await disk_.sync_directory(config_.directory));
    CO_ASSIGN(const auto names, disk_.list(folder_));
    const Buffer blocks = Buffer::allocate(kSegmentDataStart);
    std::vector<std::unique_ptr<Segment>> found;
    for (const auto& name : names) {
        if (!is_spare_name(name)) continue;
        last_file =
            std::max<std::uint64_t>(last_file, std::strtoull(name.c_str() + 5, nullptr, 10));
        CO_ASSIGN(auto file, disk_.open(path(name), {}));
        std::memset(blocks.data(), 0, blocks.size());
        CO_ASSIGN(const std::size_t filled, co_await file->read(0, blocks.bytes()));
        const auto header = filled < blocks.size()
                                ? std::nullopt
                                : read_block<SegmentHeader>(blocks.bytes().first(kBlockBytes));
        if (!header || header->log_id != log_id_ || header->lane != lane_.value) {
            // Never used or half made: not worth finding out how much of it is written. Anything
            // else stays untouched: it may be a segment whose header was destroyed, and is then
            // somebody's data.
            const bool is_empty = std::ranges::all_of(
                blocks.bytes().first(kBlockBytes), [](std::byte b) { return b == std::byte{0}; });
            file.reset();
            if (is_empty) {
                CO_TRY(disk_.remove(path(name)));
            } else if (config_.report) {
                config_.report(
                    fmt::format("{} is no segment of this log and is left alone", path(name)));
            }
            continue;
        }
        auto segment = std::make_unique<Segment>();
        segment->header = *header;
        segment->name = name;
        segment->file_bytes = file->size();
        segment->end_position = header->first_position;
        const auto seal = read_block<SegmentSeal>(blocks.bytes().subspan(kBlockBytes));
        if (seal && seal->log_id == header->log_id && seal->salt == header->salt &&
            seal->number == header->number) {
            segment->seal = *seal;
            segment->is_sealed = true;
            segment->end_position = seal->end_position;
            if ((seal->flags & kSealPunched) != 0)
                segment->file_bytes = std::min(
                    segment->file_bytes, align_up(seal->producers_position +
                                                      seal->producers_count * sizeof(ProducedBatch),
                                                  kBlockBytes));
        }
        found.push_back(std::move(segment));
    }
    CO_TRY(co_await choose_generations(found));
    std::size_t first_live = found.size();
    while (first_live > 0) {
        const auto& segment = *found[first_live - 1];
        if (first_live < found.size() &&
            (segment.header.number + 1 != found[first_live]->header.number ||
             segment.header.number < found.back()->header.oldest_segment))
            break;
        --first_live;
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i < first_live) {
            if (found[i]->header.number < found.back()->header.oldest_segment) {
                CO_TRY(disk_.remove(path(found[i]->name)));
            } else if (config_.report) {
                config_.report(
                    fmt::format("segment {} of lane {} is missing; {} and older ones are cut off",
                                found[i]->header.number + 1, lane_.value, found[i]->name));
            }
            continue;
        }
        next_segment_ = found[i]->header.number + 1;
        live_.push_back(std::move(found[i]));
    }
    spares_.start(last_file, live_.empty() ? 0 : live_.back()->file_bytes);
    settle_space();
    co_return Status{};
}

Task<Result<Segment*>> SegmentStore::begin_segment(std::uint64_t first_commit,
                                                   std::uint32_t previous_check,
                                                   std::uint64_t first_position, WallTime now) {
    auto segment = std::make_unique<Segment>();
    auto spare = spares_.take();
    segment->name = std::move(spare.name);
    segment->file = std::move(spare.file);
    segment->file_bytes = spare.bytes;
    segment->written = spare.written;
    auto& header = segment->header;
    header.log_id = log_id_;
    header.salt = random_.next() ^ (next_segment_ * 0x9e3779b97f4a7c15);
    header.number = next_segment_;
    header.first_commit = first_commit;
    header.oldest_segment = live_.empty() ? next_segment_ : live_.front()->header.number;
    header.first_position = first_position;
    header.created_ms = to_millis(now);
    header.lane = lane_.value;
    header.previous_check = previous_check;
    const Buffer block = Buffer::allocate(kBlockBytes);
    write_block(block.bytes(), header);
    // On failure the file may or may not hold the header. The lane then goes through load(), which
    // finds an empty segment of this number or none.
    CO_TRY(co_await segment->file->write(0, block.bytes(), Persistence::Durable));
    segment->end_position = first_position;
    segment->building = std::make_unique<SegmentIndexBuilder>();
    ++next_segment_;
    live_.push_back(std::move(segment));
    co_return live_.back().get();
}

Task<Status> SegmentStore::seal_segment(Segment& segment, SealedState state,
                                        std::uint64_t last_commit, std::uint32_t last_check,
                                        bool is_damaged, bool give_back_rest) {
    const SegmentPin pin(segment);
    auto footer = std::make_unique<SegmentFooter>();
    footer->index = segment.building->sorted();
    footer->ends = std::move(state.ends);
    for (auto& end : footer->ends) {
        const auto share = segment.building->shares().find(end.shard);
        end.bytes8 = share == segment.building->shares().end() ? 0 : share->second.bytes8;
    }
    std::erase_if(footer->ends, [](const ShardEndEntry& end) {
        return (end.flags & kShardGone) != 0 && end.bytes8 == 0;
    });
    const auto as_block_bytes = [](const auto& items) {
        return std::as_bytes(std::span(items.data(), items.size()));
    };
    const Bytes index = as_block_bytes(footer->index), table = as_block_bytes(footer->ends);
    const Bytes producers = as_block_bytes(state.producers);
    SegmentSeal seal{};
    seal.log_id = segment.header.log_id;
    seal.salt = segment.header.salt;
    seal.number = segment.header.number;
    seal.last_commit = last_commit;
    seal.end_position = segment.end_position;
    seal.record_count = segment.building->record_count();
    seal.last_arrival_ms = segment.building->last_arrival_ms();
    seal.index_position = align_up(segment.end_position, kBlockBytes);
    seal.index_count = footer->index.size();
    seal.ends_position = seal.index_position + align_up(index.size(), kBlockBytes);
    seal.ends_count = footer->ends.size();
    seal.producers_position = seal.ends_position + align_up(table.size(), kBlockBytes);
    seal.producers_count = state.producers.size();
    seal.index_crc = crc32c(index);
    seal.ends_crc = crc32c(table);
    seal.producers_crc = crc32c(producers);
    seal.last_check = last_check;
    seal.flags = static_cast<std::uint16_t>((is_damaged ? kSealDamaged : 0) |
                                            (segment.is_packed ? kSealPacked : 0));
    const std::uint64_t end = seal.producers_position + align_up(producers.size(), kBlockBytes);
    segment.footer = std::move(footer);
    segment.last_use = ++uses_;
    CO_TRY(open_file(segment));
    const auto bytes = static_cast<std::size_t>(end - seal.index_position);
    if (bytes > 0) {
        const Buffer buffer = Buffer::allocate(bytes);
        std::memset(buffer.data(), 0, bytes);
        const auto put = [&](Bytes from, std::uint64_t position) {
            if (!from.empty())
                std::memcpy(buffer.data() + (position - seal.index_position), from.data(),
                            from.size());
        };
        put(index, seal.index_position);
        put(table, seal.ends_position);
        put(producers, seal.producers_position);
        CO_TRY(co_await segment.file->write(seal.index_position, buffer.bytes(),
                                            Persistence::Durable));
    }
    segment.file_bytes = std::max(segment.file_bytes, end);
    if (give_back_rest && segment.file_bytes > end + kReturnWorth) {
        if ((co_await segment.file->punch(end, segment.file_bytes - end)).has_value()) {
            seal.flags |= kSealPunched;
            segment.file_bytes = end;
        }
    }
    const Buffer block = Buffer::allocate(kBlockBytes);
    write_block(block.bytes(), seal);
    CO_TRY(co_await segment.file->write(kBlockBytes, block.bytes(), Persistence::Durable));
    segment.seal = *read_block<SegmentSeal>(block.bytes());
    segment.is_sealed = true;
    segment.building.reset();
    trim_footer_cache();
    settle_space();
    co_return Status{};
}

void SegmentStore::retire_oldest() {
    TM_CHECK(live_.size() > 1);
    left_.push_back(std::move(live_.front()));
    live_.pop_front();
}

void SegmentStore::free_file(std::unique_ptr<Segment> segment) {
    const bool is_whole = (segment->seal.flags & kSealPunched) == 0 && segment->is_sealed;
    if (is_whole && open_file(*segment)) {
        SpareFile file{segment->name, std::move(segment->file), segment->file_bytes,
                       segment->file_bytes};
        if (spares_.keep(file, live_.size())) {
            ++stats_.segments_recycled;
            return;
        }
        segment->file = std::move(file.file);
    }
    segment->file.reset();
    // A file that cannot be removed now is seen as retired by the next start.
    (void)disk_.remove(path(segment->name));
    ++stats_.segments_removed;
}

Status SegmentStore::open_file(Segment& segment) {
    if (segment.file != nullptr) return {};
    ASSIGN(segment.file, disk_.open(path(segment.name), {}));
    return {};
}

Task<Result<const SegmentFooter*>> SegmentStore::footer(Segment& segment) {
    segment.last_use = ++uses_;
    while (segment.footer == nullptr && segment.is_loading)
        co_await loaded_.wait_until(MonoTime::max());
    if (segment.footer == nullptr) {
        segment.is_loading = true;
        auto footer = co_await read_footer(segment);
        if (footer ? lacks_shares(**footer) : footer.error().code == Errc::Corrupt)
            footer = co_await rebuild_footer(segment);
        segment.is_loading = false;
        loaded_.notify_all();
        if (!footer) co_return std::unexpected(std::move(footer).error());
        segment.footer = std::move(*footer);
        trim_footer_cache();
    }
    co_return segment.footer.get();
}

Task<Result<const SegmentFooter*>> SegmentStore::read_stored_footer(Segment& segment) {
    CO_ASSIGN(segment.footer, co_await read_footer(segment));
    co_return segment.footer.get();
}

Task<Result<std::vector<ProducedBatch>>> SegmentStore::read_producers(Segment& segment) {
    CO_TRY(open_file(segment));
    const auto& seal = segment.seal;
    std::vector<ProducedBatch> producers;
    if (seal.producers_count == 0) co_return producers;
    if (seal.producers_position > segment.file->size() ||
        seal.producers_count > segment.file->size() / sizeof(ProducedBatch))
        co_return fail(Errc::Corrupt, "the seal points beyond its file");
    const auto size = static_cast<std::size_t>(seal.producers_count) * sizeof(ProducedBatch);
    const Buffer buffer = Buffer::allocate(align_up(size, kBlockBytes));
    CO_ASSIGN(const std::size_t filled,
              co_await segment.file->read(seal.producers_position, buffer.bytes()));
    if (filled < size || crc32c(buffer.bytes().first(size)) != seal.producers_crc)
        co_return fail(Errc::Corrupt,
                       fmt::format("the producers of segment {} are damaged", seal.number));
    producers.resize(static_cast<std::size_t>(seal.producers_count));
    std::memcpy(producers.data(), buffer.data(), size);
    co_return producers;
}

Task<Result<std::unique_ptr<SegmentFooter>>> SegmentStore::read_footer(Segment& segment) {
    if (!segment.is_sealed) co_return fail(Errc::Corrupt, "the segment has no seal");
    CO_TRY(open_file(segment));
    const auto& seal = segment.seal;
    auto footer = std::make_unique<SegmentFooter>();
    const std::uint64_t end =
        align_up(seal.ends_position + seal.ends_count * sizeof(ShardEndEntry), kBlockBytes);
    if (end < seal.index_position || end > segment.file->size() ||
        seal.index_position + seal.index_count * sizeof(SegmentIndexEntry) > end)
        co_return fail(Errc::Corrupt, "the seal points beyond its file");
    const auto bytes = static_cast<std::size_t>(end - seal.index_position);
    const Buffer buffer = Buffer::allocate(bytes);
    CO_ASSIGN(const std::size_t filled,
              co_await segment.file->read(seal.index_position, buffer.bytes()));
    const auto take = [&](auto& items, std::uint64_t position, std::uint64_t count,
                          std::uint32_t crc) {
        const std::size_t size = count * sizeof(items[0]);
        const auto offset = static_cast<std::size_t>(position - seal.index_position);
        if (offset + size > filled) return false;
        const Bytes from{buffer.data() + offset, size};
        if (crc32c(from) != crc) return false;
        items.resize(count);
        if (size > 0) std::memcpy(items.data(), from.data(), size);
        return true;
    };
    if (!take(footer->index, seal.index_position, seal.index_count, seal.index_crc) ||
        !take(footer->ends, seal.ends_position, seal.ends_count, seal.ends_crc))
        co_return fail(Errc::Corrupt,
                       fmt::format("the footer of segment {} is damaged", seal.number));
    co_return footer;
}

// The ends of shards that this segment does not mention come from the segment before it.
Task<Result<std::unique_ptr<SegmentFooter>>> SegmentStore::rebuild_footer(Segment& segment) {
    ShardTable shards;
    if (auto* const previous = find(segment.header.number - 1); previous != nullptr) {
        const SegmentPin before(*previous);
        CO_ASSIGN(const auto* earlier, co_await footer(*before));
        for (const auto& end : earlier->ends)
            shards.learn(end);
    }
    CO_TRY(open_file(segment));
    const auto* const next = find(segment.header.number + 1);
    const std::uint64_t limit =
        next != nullptr ? next->header.first_commit : segment.seal.last_commit + 1;
    SegmentScanner scanner(*segment.file, segment.header, limit - 1, limit);
    SegmentIndexBuilder index;
    while (true) {
        CO_ASSIGN(const auto commit, co_await scanner.next());
        if (!commit) break;
        for (std::size_t i = 0; i < commit->header.directory_count; ++i) {
            const auto entry = commit->entry(i);
            const std::int64_t last_arrival = commit->last_arrival_ms(i);
            shards.learn_scanned(entry, last_arrival, 1);
            if (!entry.is_control())
                index.add(commit->position, commit->header.arrival_ms, entry, last_arrival);
        }
    }
    segment.end_position = scanner.end_position();
    auto footer = std::make_unique<SegmentFooter>();
    footer->index = index.sorted();
    footer->ends = shards.ends();
    for (auto& end : footer->ends)
        if (const auto share = index.shares().find(end.shard); share != index.shares().end())
            end.bytes8 = share->second.bytes8;
    co_return footer;
}

void SegmentStore::trim_footer_cache() {
    std::size_t bytes = 0;
    for (const auto& segment : live_)
        if (segment->footer) bytes += segment->footer->bytes();
    while (bytes > config_.footer_cache_bytes) {
        Segment* oldest = nullptr;
        for (const auto& segment : live_)
            if (segment->footer && segment->pins == 0 && segment->is_sealed &&
                (oldest == nullptr || segment->last_use < oldest->last_use))
                oldest = segment.get();
        if (oldest == nullptr) return;
        bytes -= oldest->footer->bytes();
        oldest->footer.reset();
        oldest->file.reset();
    }
}

}  // namespace tidemill

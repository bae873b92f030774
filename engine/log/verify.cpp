#include "engine/log/verify.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "engine/base/crc32c.h"
#include "engine/log/segment_store.h"

namespace tidemill {
namespace {

/// How far each shard has come, and in which segment; finds ordinals given twice or left out.
struct ShardPlace {
    std::uint64_t end, segment;
};
struct ShardEnds {
    std::map<std::uint32_t, ShardPlace> places;
    std::uint64_t last_rewritten = 0;  // number of the newest rewritten segment so far
};

void follow(const DirectoryEntry& entry, const SegmentReport& segment, ShardEnds& ends,
            LaneReport& lane) {
    if (entry.is_control()) return;
    const auto [at, is_new] = ends.places.try_emplace(
        entry.shard, ShardPlace{entry.first_ordinal, segment.header.number});
    auto& place = at->second;
    // Records may be missing where a segment was rewritten, and nowhere else.
    const bool may_lack = ends.last_rewritten >= place.segment;
    if (entry.first_ordinal < place.end || (entry.first_ordinal > place.end && !may_lack))
        lane.problems.push_back(fmt::format("shard {}: record {} follows {} in segment {}",
                                            entry.shard, entry.first_ordinal, place.end,
                                            segment.header.number));
    place = {entry.first_ordinal + entry.count, segment.header.number};
}

Task<Status> scan(File& file, SegmentReport& segment, std::uint64_t proven, std::uint64_t limit,
                  ShardEnds& ends, LaneReport& lane, const VisitBatch& visit) {
    if (segment.header.is_rewritten()) ends.last_rewritten = segment.header.number;
    SegmentScanner scanner(file, segment.header, proven, limit);
    while (true) {
        CO_ASSIGN(const auto commit, co_await scanner.next());
        if (!commit) break;
        ++segment.commits;
        if (segment.first_arrival_ms == 0) segment.first_arrival_ms = commit->header.arrival_ms;
        segment.last_arrival_ms = commit->header.arrival_ms;
        for (std::uint32_t i = 0; i < commit->header.directory_count; ++i) {
            const auto entry = commit->entry(i);
            const bool is_intact = std::ranges::find(commit->damaged, i) == commit->damaged.end();
            follow(entry, segment, ends, lane);
            if (!entry.is_control()) {
                ++segment.batches;
                segment.records += entry.count;
                segment.payload_bytes += entry.bytes;
            }
            if (visit) visit(segment, *commit, entry, is_intact);
        }
    }
    segment.last_commit = scanner.next_number() - 1;
    segment.end_position = scanner.end_position();
    segment.is_torn = scanner.is_torn();
    segment.damage = scanner.damage();
    for (const auto& range : segment.damage)
        lane.problems.push_back(fmt::format("{} from {} to {}: {}", segment.file, range.position,
                                            range.end_position, range.what));
    co_return Status{};
}

Task<Result<LaneReport>> verify_lane(Disk& disk, std::string folder, std::uint64_t log_id,
                                     LaneId id, const VisitBatch& visit) {
    LaneReport lane;
    lane.lane = id;
    CO_ASSIGN(const auto names, disk.list(folder));
    const Buffer blocks = Buffer::allocate(kSegmentDataStart);
    std::vector<std::pair<SegmentReport, SegmentSeal>> found;
    for (const auto& name : names) {
        const auto path = folder + "/" + name;
        CO_ASSIGN(const auto file, disk.open(path, {.writable = false}));
        CO_ASSIGN(const std::size_t filled, co_await file->read(0, blocks.bytes()));
        lane.file_bytes += file->size();
        if (filled < blocks.size()) continue;
        const auto header = read_block<SegmentHeader>(blocks.bytes().first(kBlockBytes));
        if (!header || header->log_id != log_id) {
            const bool is_empty = std::ranges::all_of(
                blocks.bytes().first(kBlockBytes), [](std::byte b) { return b == std::byte{0}; });
            if (!is_empty) lane.problems.push_back(path + " has no valid header");
            continue;
        }
        SegmentReport report;
        report.header = *header;
        report.file = path;
        report.file_bytes = file->size();
        const auto seal = read_block<SegmentSeal>(blocks.bytes().subspan(kBlockBytes));
        report.is_sealed = seal && seal->salt == header->salt && seal->number == header->number;
        if (report.is_sealed) {
            report.is_packed = (seal->flags & kSealPacked) != 0;
            CO_ASSIGN(report.is_footer_intact, co_await is_footer_intact(*file, *seal));
        }
        found.emplace_back(std::move(report), report.is_sealed ? *seal : SegmentSeal{});
    }
    std::ranges::sort(found, [](const auto& a, const auto& b) {
        const auto rank = [](const SegmentReport& report) {
            return std::tuple(report.header.number, !report.is_sealed,
                              ~std::uint64_t{report.header.generation});
        };
        return rank(a.first) < rank(b.first);
    });
    // Of several forms of one segment the first counts; the others are about to be removed.
    for (std::size_t i = 1; i < found.size();) {
        if (found[i].first.header.number != found[i - 1].first.header.number) {
            ++i;
            continue;
        }
        lane.segments.push_back(std::move(found[i].first));
        found.erase(found.begin() + static_cast<std::ptrdiff_t>(i));
    }
    ShardEnds ends;
    for (std::size_t i = 0; i < found.size(); ++i) {
        auto& [report, seal] = found[i];
        report.is_live = report.header.number >= found.back().first.header.oldest_segment;
        if (report.is_live) {
            if (i + 1 < found.size() &&
                found[i + 1].first.header.number != report.header.number + 1)
                lane.problems.push_back(
                    fmt::format("segment {} is missing", report.header.number + 1));
            if (report.is_sealed && !report.is_footer_intact)
                lane.problems.push_back(fmt::format("{}: the footer of segment {} is damaged",
                                                    report.file, report.header.number));
            const std::uint64_t limit = i + 1 < found.size()
                                            ? found[i + 1].first.header.first_commit
                                        : report.is_sealed ? seal.last_commit + 1
                                                           : UINT64_MAX;
            CO_ASSIGN(const auto file, disk.open(report.file, {.writable = false}));
            CO_TRY(co_await scan(*file, report, limit == UINT64_MAX ? 0 : limit - 1, limit, ends,
                                 lane, visit));
        }
        lane.segments.push_back(std::move(report));
    }
    std::ranges::sort(lane.segments, {}, [](const auto& segment) { return segment.header.number; });
    lane.shards = ends.places.size();
    co_return lane;
}

}  // namespace

Task<Result<bool>> is_footer_intact(File& file, const SegmentSeal& seal) {
    FileWindow window(file, 64_KiB);
    const auto table = [&](std::uint64_t position, std::uint64_t bytes,
                           std::uint32_t crc) -> Task<Result<bool>> {
        if (position + bytes > file.size()) co_return false;
        CO_ASSIGN(const Bytes found, co_await window.at(position, static_cast<std::size_t>(bytes)));
        co_return found.size() == bytes&& crc32c(found) == crc;
    };
    CO_ASSIGN(const bool index,
              co_await table(seal.index_position, seal.index_count * sizeof(SegmentIndexEntry),
                             seal.index_crc));
    if (!index) co_return false;
    CO_ASSIGN(
        const bool ends,
        co_await table(seal.ends_position, seal.ends_count * sizeof(ShardEndEntry), seal.ends_crc));
    if (!ends) co_return false;
    co_return co_await table(seal.producers_position, seal.producers_count * sizeof(ProducedBatch),
                             seal.producers_crc);
}

bool LogReport::is_sound() const {
    return std::ranges::all_of(lanes, [](const auto& lane) { return lane.problems.empty(); });
}

Task<Result<LogReport>> verify_log(Disk& disk, std::string directory, VisitBatch visit,
                                   std::optional<LaneId> only) {
    LogReport report;
    const Buffer block = Buffer::allocate(kBlockBytes);
    CO_ASSIGN(const auto file, disk.open(directory + "/superblock", {.writable = false}));
    CO_ASSIGN(const std::size_t filled, co_await file->read(0, block.bytes()));
    const auto superblock = read_block<Superblock>(block.bytes().first(filled));
    if (!superblock) co_return fail(Errc::Corrupt, directory + "/superblock is damaged");
    report.log_id = superblock->log_id;
    for (std::uint32_t i = 0; i < superblock->lane_count; ++i) {
        if (only && only->value != i) continue;
        CO_ASSIGN(auto lane, co_await verify_lane(disk, fmt::format("{}/lane-{:04}", directory, i),
                                                  superblock->log_id, LaneId{i}, visit));
        report.lanes.push_back(std::move(lane));
    }
    co_return report;
}

std::string to_text(const LogReport& report) {
    std::string text = fmt::format("log {:016x}, {} lanes\n", report.log_id, report.lanes.size());
    std::uint64_t commits = 0, batches = 0, records = 0, problems = 0;
    for (const auto& lane : report.lanes) {
        for (const auto& segment : lane.segments) {
            text += fmt::format("lane {} segment {} {}: ", lane.lane, segment.header.number,
                                segment.file);
            if (!segment.is_live) {
                text += "not in use\n";
                continue;
            }
            text += fmt::format(
                "{} commits from {}, {} batches, {} records, {} of {} bytes{}{}{}\n",
                segment.commits, segment.header.first_commit, segment.batches, segment.records,
                segment.end_position, segment.file_bytes,
                segment.header.is_rewritten()
                    ? fmt::format(", rewritten {} times", segment.header.generation)
                : segment.is_sealed ? ", sealed"
                                    : ", open",
                segment.is_packed ? ", packed" : "", segment.is_torn ? ", torn end" : "");
            commits += segment.commits;
            batches += segment.batches;
            records += segment.records;
        }
        for (const auto& problem : lane.problems) {
            text += fmt::format("lane {}: PROBLEM: {}\n", lane.lane, problem);
            ++problems;
        }
    }
    text += fmt::format("{} commits, {} batches, {} records, {} problems\n", commits, batches,
                        records, problems);
    return text;
}

}  // namespace tidemill

#include <algorithm>

#include "tests/sim/log_world.h"

namespace tidemill::sim {
namespace {

/// A commit that is known to have been acknowledged.
struct Place {
    std::string file;
    using Shards = std::map<std::uint32_t, std::pair<Ordinal, Ordinal>>;
    struct Covered {
        std::uint64_t begin, end;  // under a checksum
        Shards lost;               // when it is damaged; none: all of the commit
    };
    std::vector<Covered> covered;
    Shards shards;  // what it holds
};

}  // namespace

void LogWorld::decay() {
    ++life_;
    heal();
    if (random_.chance(0.5)) {  // so that the damage lies in a segment that a recovery has to scan
        auto process = start();
        check_all(*process);
        load(*process);
        storage_->crash();
        end(*process, false);
        ++life_;
    }
    heal();
    if (random_.chance(0.7))
        decay_of_data();
    else
        decay_of_frame();
    // The log goes on, and a second start finds the same.
    auto process = start();
    check_all(*process);
    load(*process);
    heal();
    come_to_rest(*process);
    end(*process, true);
    ++life_;
    process = start();
    check_all(*process);
    end(*process, true);
}

// One bit of an acknowledged commit. It is found, and costs at most the records of that commit.
void LogWorld::decay_of_data() {
    std::vector<std::map<std::uint64_t, Place>> lanes;
    {
        std::vector<std::uint64_t> proven;
        const auto report = look_offline([&](const SegmentReport& segment,
                                             const ScannedCommit& commit,
                                             const DirectoryEntry& entry, bool) {
            const std::size_t lane = commit.header.lane;
            if (lanes.size() <= lane) lanes.resize(lane + 1), proven.resize(lane + 1);
            proven[lane] =
                std::max({proven[lane], commit.header.durable, segment.header.first_commit - 1});
            auto& place = lanes[lane][commit.header.number];
            place.file = segment.file;
            const std::uint64_t begin = commit.position;
            if (place.covered.empty())
                place.covered = {{begin, begin + sizeof(CommitHeader), {}},
                                 {begin + commit.header.directory_offset, commit.end(), {}}};
            if (entry.is_control()) return;
            const Ordinal after = entry.first_ordinal + entry.count;
            place.covered.push_back({begin + entry.offset,
                                     begin + entry.offset + entry.bytes,
                                     {{entry.shard, {entry.first_ordinal, after}}}});
            const auto [lost, is_new] =
                place.shards.try_emplace(entry.shard, entry.first_ordinal, after);
            if (!is_new) lost->second.second = after;
        });
        journal_.expect(report.is_sound(), "verify finds before any decay:\n{}", to_text(report));
        for (const auto& lane : report.lanes)
            for (const auto& segment : lane.segments)
                if (segment.is_live && segment.is_sealed && lane.lane.value < proven.size())
                    proven[lane.lane.value] =
                        std::max(proven[lane.lane.value], segment.last_commit);
        for (std::size_t lane = 0; lane < lanes.size(); ++lane)
            std::erase_if(lanes[lane], [&](const auto& item) { return item.first > proven[lane]; });
    }
    std::erase_if(lanes, [](const auto& lane) { return lane.empty(); });
    if (lanes.empty()) return;
    auto& commits = lanes[random_.below(lanes.size())];
    if (random_.chance(0.5)) {
        const auto newest = commits.rbegin()->second.file;
        std::erase_if(commits, [&](const auto& item) { return item.second.file != newest; });
    }
    const auto chosen =
        std::next(commits.begin(), static_cast<std::ptrdiff_t>(random_.below(commits.size())));
    const auto& place = chosen->second;
    const auto& [begin, end, lost] = place.covered[random_.below(place.covered.size())];
    const std::uint64_t offset = begin + random_.below(end - begin);
    journal_.note("  a bit flips in {} at {}, commit {}", place.file, offset, chosen->first);
    fence_ = lost.empty() ? place.shards : lost;
    for (const auto& [shard, range] : fence_)
        journal_.note("    it takes shard {} from {} to {}", shard, range.first, range.second);
    storage_->flip_bit(place.file, offset, static_cast<unsigned>(random_.below(8)));
    ++counts.flips;
    ++counts.flips_in_data;
    journal_.expect(!look_offline().is_sound(), "verify has not found a flipped bit");
}

// One bit of what holds the segments together: headers, seals, indexes, tables of ends, the
// superblock. All of it is there twice or can be made again, so it costs nothing.
void LogWorld::decay_of_frame() {
    std::vector<std::pair<std::string, std::pair<std::uint64_t, std::uint64_t>>> places;
    places.push_back({config_.directory + "/superblock", {0, kBlockBytes}});
    const auto report = look_offline();
    for (const auto& lane : report.lanes)
        for (const auto& segment : lane.segments) {
            if (!segment.is_live) continue;
            places.push_back({segment.file, {0, kSegmentDataStart}});
            const std::uint64_t footer = align_up(segment.end_position, kBlockBytes);
            const std::uint64_t end =
                std::min<std::uint64_t>(footer + 2 * kBlockBytes, segment.file_bytes);
            if (segment.is_sealed && footer < end) places.push_back({segment.file, {footer, end}});
        }
    const auto& [file, range] = places[random_.below(places.size())];
    const std::uint64_t offset = range.first + random_.below(range.second - range.first);
    journal_.note("  a bit flips in {} at {}, outside commits", file, offset);
    storage_->flip_bit(file, offset, static_cast<unsigned>(random_.below(8)));
    ++counts.flips;
}

}  // namespace tidemill::sim

#include <cstring>
#include <tuple>

#include "engine/base/crc32c.h"
#include "tests/sim/log_world.h"

namespace tidemill::sim {
namespace {

/// Where a lane's log ends, in a segment that nobody has sealed.
struct OpenEnd {
    std::string file;
    std::uint64_t file_bytes = 0, position = 0, number = 0;
    SegmentHeader header{};
    std::uint32_t check = 0;  // of the commit before
};

}  // namespace

// What blocks of a file may hold from an earlier use, at its worst: a commit, whole and intact,
// just where the log goes on, wrong in nothing but its salt, the check of the one before, or its
// number.
void LogWorld::plant_stale() {
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint32_t>> last;  // by salt: end, check
    const auto report = look_offline(
        [&](const SegmentReport& segment, const ScannedCommit& commit, const DirectoryEntry&,
            bool) { last[segment.header.salt] = {commit.end(), commit.header.header_crc}; });
    std::vector<OpenEnd> ends;
    for (const auto& lane : report.lanes) {
        if (lane.segments.empty()) continue;
        const auto& newest = lane.segments.back();
        if (!newest.is_live || newest.is_sealed) continue;
        auto& end = ends.emplace_back(
            OpenEnd{newest.file, newest.file_bytes, newest.header.first_position,
                    newest.header.first_commit, newest.header, newest.header.previous_check});
        if (const auto found = last.find(newest.header.salt); found != last.end()) {
            std::tie(end.position, end.check) = found->second;
            end.number = newest.last_commit + 1;
        }
    }
    if (ends.empty()) return;
    auto end = ends[random_.below(ends.size())];
    std::vector<ShardModel*> shards;
    for (auto& shard : shards_)
        if (shard.uid.value % report.lanes.size() == end.header.lane) shards.push_back(&shard);
    if (shards.empty()) return;
    const auto& shard = *shards[random_.below(shards.size())];

    RecordBatchBuilder builder;
    builder.add("", as_bytes(std::string_view("stale")));
    const auto built = builder.finish();
    std::vector<std::byte> bytes(sizeof(CommitHeader));
    bytes.insert(bytes.end(), built.bytes().begin(), built.bytes().end());
    const MutableBytes batch(bytes.data() + sizeof(CommitHeader), built.bytes().size());
    const Ordinal ordinal = shard.end_least + random_.below(100);
    stamp_record_batch(batch, shard.uid, ordinal, from_millis(now_ms_), 1);
    DirectoryEntry entry{};
    entry.shard = shard.uid.value;
    entry.offset = sizeof(CommitHeader);
    entry.bytes = static_cast<std::uint32_t>(batch.size());
    entry.count = 1;
    entry.first_ordinal = ordinal;
    entry.check = load_le<RecordBatchHeader>(batch.data()).header_crc;
    bytes.resize(align_up(bytes.size(), kCommitAlignment));
    const std::size_t directory = bytes.size();
    bytes.resize(directory + sizeof entry);
    std::memcpy(bytes.data() + directory, &entry, sizeof entry);

    CommitHeader header{};
    header.magic = kCommitMagic;
    header.version = kCommitVersion;
    header.log_id = end.header.log_id;
    header.salt = end.header.salt;
    header.number = end.number;
    header.durable = end.number - 1;
    header.arrival_ms = now_ms_;
    header.lane = end.header.lane;
    header.previous_check = end.check;
    header.bytes = static_cast<std::uint32_t>(bytes.size());
    header.directory_offset = static_cast<std::uint32_t>(directory);
    header.directory_count = 1;
    header.directory_crc = crc32c(Bytes(bytes).subspan(directory));
    const auto kind = random_.below(3);
    if (kind == 0) header.salt ^= 1 + random_.below(1000);
    if (kind == 1) header.previous_check ^= 1;
    if (kind == 2) ++header.number;
    write_commit_header(bytes.data(), header);
    if (end.position % kBlockBytes != 0 && random_.chance(0.3)) end.position += kSkippedBytes;
    if (end.position + bytes.size() > end.file_bytes) return;
    journal_.note("  a stale commit of kind {} in {} at {}, as number {}", kind, end.file,
                  end.position, header.number);
    storage_->plant(end.file, end.position, bytes);
    ++counts.stale;
}

}  // namespace tidemill::sim

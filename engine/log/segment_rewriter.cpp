#include "engine/log/segment_rewriter.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "engine/base/crc32c.h"
#include "engine/log/trims.h"
#include "engine/reactor/turn.h"
#include "proto/batch_packer.h"

namespace tidemill {
namespace {

/// Commits grow to this when more than one source commit is taken into them.
constexpr std::size_t kTargetCommitBytes = 1_MiB;
/// One source commit of the longest kind behind a full one, and both directories.
constexpr std::size_t kBufferBytes = 2 * kCommitBytesMax + 4 * kTargetCommitBytes;
constexpr std::size_t kWriteStep = 1_MiB;
/// Packed in one turn of the reactor: some 100 us.
constexpr std::size_t kPackStep = 64_KiB;
static_assert(kPackedCommitBytes <= 4 * kTargetCommitBytes);

std::uint32_t delta_of(std::int64_t arrival_ms, std::int64_t base_ms) {
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(arrival_ms - base_ms, 0, UINT32_MAX));
}

}  // namespace

/// The rewritten form as it grows: commits are built in `buffer`, whose front stands at `position`
/// of the file, a multiple of the block.
struct SegmentRewriter::Target {
    std::unique_ptr<Segment> segment;
    Buffer buffer = Buffer::allocate(kBufferBytes);
    std::uint64_t position = kSegmentDataStart;
    std::size_t fill = 0;
    std::uint64_t last_number = 0;  // of the source's commits taken so far
    std::uint32_t previous_check = 0;

    bool is_open = false;
    std::size_t begin = 0;  // of the open commit, in the buffer
    std::int64_t arrival_ms = 0;
    std::vector<DirectoryEntry> entries;
    std::vector<std::uint32_t> kept;  // scratch: entries of the present source commit
    BatchPacker packer;
    std::vector<std::byte> packed;         // scratch: the open commit's batches, packed
    std::vector<DirectoryEntry> repacked;  // scratch: its entries
    std::uint64_t packed_batches = 0;

    std::map<std::uint32_t, Dropped> dropped;
    std::size_t damaged = 0;
    std::uint64_t copied_bytes = 0;

    void open(std::int64_t arrival) {
        is_open = true;
        begin = fill;
        fill += sizeof(CommitHeader);
        arrival_ms = arrival;
    }
};

bool SegmentRewriter::is_owed(const DirectoryEntry& entry, std::int64_t arrival_ms) {
    if (parts_.shards.is_gone(entry.shard)) return false;
    const auto* state = parts_.shards.find(ShardUid{entry.shard});
    if (entry.is_control() || state == nullptr || !state->is_known) return true;
    return entry.first_ordinal + entry.count > state->trim &&
           !parts_.has_expired(*state, arrival_ms);
}

Task<Status> SegmentRewriter::rewrite(std::uint64_t number, std::uint64_t bytes) {
    auto* const live = parts_.segments.find(number);
    if (live == nullptr || !live->is_sealed) co_return fail(Errc::NotFound, "the segment is gone");
    const SegmentPin source(*live);
    CO_TRY(parts_.segments.open_file(*source));
    CO_ASSIGN(const auto* footer, co_await parts_.segments.footer(*source));
    SealedState state{footer->ends, {}};
    CO_ASSIGN(state.producers, co_await parts_.segments.read_producers(*source));
    Target target;
    CO_ASSIGN(target.segment, parts_.segments.begin_rewritten(*source, bytes));
    target.segment->is_packed = parts_.config.packs;
    auto status = co_await copy(*source, target);
    if (status) {
        for (auto& end : state.ends)
            if (parts_.shards.is_gone(end.shard)) end.flags |= kShardGone;
        status = co_await parts_.segments.seal_segment(
            *target.segment, std::move(state), source->seal.last_commit, source->seal.last_check,
            target.damaged > 0, false);
    }
    if (status) status = co_await target.segment->file->sync();
    if (status) {
        Trims trims;
        for (const auto& [shard, dropped] : target.dropped)
            if (!parts_.shards.is_gone(shard)) trims.emplace_back(ShardUid{shard}, dropped.end);
        status = co_await commit_trims(writer_, std::move(trims));
    }
    if (status && is_interrupted_) status = fail(Errc::Unavailable, "interrupted");
    if (!status) {
        parts_.segments.abandon_rewritten(std::move(target.segment));
        co_return status;
    }
    const std::uint64_t before = source->file_bytes, after = target.segment->file_bytes;
    CO_TRY(co_await parts_.segments.finish_rewritten(std::move(target.segment)));
    auto& stats = parts_.stats;
    ++stats.segments_rewritten;
    stats.rewritten_bytes += target.copied_bytes;
    stats.packed_batches += target.packed_batches;
    stats.freed_bytes += before > after ? before - after : 0;
    if (target.damaged > 0)
        parts_.report(
            fmt::format("segment {} was rewritten; {} damaged batches in it were copied "
                        "as they are",
                        number, target.damaged));
    co_return Status{};
}

Task<Status> SegmentRewriter::copy(Segment& source, Target& target) {
    const auto& seal = source.seal;
    SegmentScanner scanner(*source.file, source.header, seal.last_commit, seal.last_commit + 1);
    target.previous_check = source.header.previous_check;
    std::uint64_t read = 0;
    std::size_t damaged = 0;
    while (true) {
        CO_ASSIGN(const auto commit, co_await scanner.next());
        if (!commit) break;
        damaged += commit->damaged.size();
        CO_TRY(co_await take_commit(*commit, target));
        CO_TRY(co_await write_out(target, false));
        CO_TRY(
            co_await keep_pace(scanner.bytes_read() - std::exchange(read, scanner.bytes_read())));
    }
    // Without its directory a commit's batches cannot be told apart from what is owed to nobody.
    if (scanner.damage().size() != damaged || scanner.next_number() != seal.last_commit + 1)
        co_return fail(Errc::Corrupt, fmt::format("a commit of segment {} ({}) is destroyed",
                                                  source.header.number, source.name));
    if (seal.last_commit >= source.header.first_commit) {
        const std::size_t ends = target.dropped.size() * sizeof(DirectoryEntry);
        if (target.is_open &&
            target.fill - target.begin + ends + target.entries.size() * sizeof(DirectoryEntry) >
                kCommitBytesMax) {
            if (target.last_number >= seal.last_commit)
                co_return fail(Errc::Corrupt, "the ends of its shards do not fit");
            CO_TRY(co_await close_commit(target));
        }
        for (const auto& [shard, dropped] : target.dropped) {
            if (!dropped.is_last || parts_.shards.is_gone(shard)) continue;
            if (!target.is_open) target.open(dropped.arrival_ms);
            target.entries.push_back({shard, 0, static_cast<std::uint32_t>(Control::End), 0,
                                      dropped.end, dropped.epoch,
                                      delta_of(dropped.arrival_ms, target.arrival_ms)});
        }
        // The last commit carries the number that the successor's chain expects, also when it is
        // empty.
        target.last_number = seal.last_commit;
        if (!target.is_open) target.open(seal.last_arrival_ms);
        CO_TRY(co_await close_commit(target));
    }
    CO_TRY(co_await write_out(target, true));
    target.segment->file_bytes = align_up(target.segment->end_position, kBlockBytes);
    co_return Status{};
}

Task<Status> SegmentRewriter::take_commit(const ScannedCommit& commit, Target& target) {
    target.kept.clear();
    std::size_t bytes = 0;
    for (std::uint32_t i = 0; i < commit.header.directory_count; ++i) {
        const auto entry = commit.entry(i);
        const std::int64_t last_arrival = commit.last_arrival_ms(i);
        if (is_owed(entry, last_arrival)) {
            target.kept.push_back(i);
            bytes += sizeof(DirectoryEntry) +
                     (entry.is_control() ? 0 : align_up(entry.bytes, kCommitAlignment));
            if (entry.is_control()) continue;
            if (const auto at = target.dropped.find(entry.shard); at != target.dropped.end())
                at->second.is_last = false;
        } else if (!entry.is_control()) {
            const auto epoch = load_le<RecordBatchHeader>(commit.bytes.data() + entry.offset).epoch;
            const bool is_damaged = std::ranges::find(commit.damaged, i) != commit.damaged.end();
            target.dropped[entry.shard] = {entry.first_ordinal + entry.count, last_arrival,
                                           is_damaged ? 0 : epoch, true};
        }
    }
    if (target.is_open && !target.kept.empty()) {
        const std::size_t open =
            target.fill - target.begin + target.entries.size() * sizeof(DirectoryEntry);
        const auto& last = commit.entry(target.kept.back());
        const bool is_late =
            commit.header.arrival_ms + std::int64_t{last.arrival_delta} - target.arrival_ms >
            std::int64_t{UINT32_MAX} / 2;
        const std::size_t bytes_max = parts_.config.packs ? kPackedCommitBytes : kTargetCommitBytes;
        if (open + bytes > bytes_max || is_late) CO_TRY(co_await close_commit(target));
    }
    for (const auto i : target.kept) {
        auto entry = commit.entry(i);
        const std::int64_t arrival = commit.header.arrival_ms + std::int64_t{entry.arrival_delta};
        if (!target.is_open) target.open(commit.header.arrival_ms);
        entry.arrival_delta = delta_of(arrival, target.arrival_ms);
        if (!entry.is_control()) {
            Bytes bytes_of = commit.bytes.subspan(entry.offset, entry.bytes);
            const bool is_damaged = std::ranges::find(commit.damaged, i) != commit.damaged.end();
            const auto part =
                is_damaged ? std::nullopt : owed_part(RecordBatchView::trusted(bytes_of), target);
            if (part) {
                bytes_of = part->bytes();
                entry.bytes = part->header().batch_bytes;
                entry.count = part->record_count();
                entry.first_ordinal = part->first_ordinal();
                entry.check = part->header().header_crc;
                entry.arrival_delta = delta_of(to_millis(part->arrival()), target.arrival_ms);
            }
            std::byte* to = target.buffer.data() + target.fill;
            const std::size_t padded = align_up(entry.bytes, kCommitAlignment);
            std::memcpy(to, bytes_of.data(), entry.bytes);
            target.packer.clear();
            std::memset(to + entry.bytes, 0, padded - entry.bytes);
            entry.offset = static_cast<std::uint32_t>(target.fill - target.begin);
            target.fill += padded;
            target.copied_bytes += entry.bytes;
            if (is_damaged) ++target.damaged;
        }
        target.entries.push_back(entry);
    }
    target.last_number = commit.header.number;
    co_return Status{};
}

/// What is still owed of a packed batch, when not all of it is: the first records may be gone, and
/// copying all of it would free nothing, again and again. Ownership: the target's packer's.
std::optional<RecordBatchView> SegmentRewriter::owed_part(const RecordBatchView& batch,
                                                          Target& target) {
    const auto* state = parts_.shards.find(ShardUid{batch.header().shard});
    if (!batch.is_packed() || state == nullptr || !state->is_known) return std::nullopt;
    if (state->trim <= batch.first_ordinal() &&
        !parts_.has_expired(*state, batch.header().arrival_ms))
        return std::nullopt;
    std::int64_t arrival_ms = 0;  // of the record before
    RecordCursor cursor(batch);
    for (RecordView record; cursor.next(record); arrival_ms = to_millis(cursor.arrival())) {
        if (cursor.ordinal() < state->trim ||
            parts_.has_expired(*state, to_millis(cursor.arrival())))
            continue;
        const Ordinal first = cursor.ordinal();
        if (first == batch.first_ordinal()) return std::nullopt;
        target.dropped[batch.header().shard] = {first, arrival_ms, batch.header().epoch, false};
        return target.packer.cut_front(batch, first);
    }
    return std::nullopt;
}

/// Makes one batch of neighbouring small ones of the open commit, whose entries are sorted: by
/// shard now, and within a shard as they arrived.
Task<Status> SegmentRewriter::pack(Target& target) {
    const Bytes commit{target.buffer.data() + target.begin, target.fill - target.begin};
    auto& packed = target.packed;
    auto& entries = target.repacked;
    packed.clear();
    entries.clear();
    const auto put = [&](DirectoryEntry entry, Bytes bytes) {
        entry.offset = static_cast<std::uint32_t>(sizeof(CommitHeader) + packed.size());
        entry.bytes = static_cast<std::uint32_t>(bytes.size());
        packed.insert(packed.end(), bytes.begin(), bytes.end());
        packed.resize(align_up(packed.size(), kCommitAlignment));
        entries.push_back(entry);
    };
    DirectoryEntry first{};  // of those in the packer
    const auto put_packed = [&] {
        if (target.packer.batch_count() > 1) {
            const auto batch = target.packer.finish();
            target.packed_batches += target.packer.batch_count();
            first.count = batch.record_count();
            first.check = batch.header().header_crc;
            put(first, batch.bytes());
        } else if (!target.packer.is_empty()) {
            put(first, commit.subspan(first.offset, first.bytes));
        }
        target.packer.clear();
    };
    std::size_t step = 0;
    for (const auto& entry : target.entries) {
        if (entry.is_control()) {
            put_packed();
            entries.push_back(entry);
            continue;
        }
        const Bytes bytes = commit.subspan(entry.offset, entry.bytes);
        const auto batch = RecordBatchView::trusted(bytes);
        const bool is_small =
            entry.bytes <= kPackBelowBytes && check_batch(commit, entry).has_value();
        if (!is_small || !target.packer.try_add(batch)) {
            put_packed();
            if (!is_small || !target.packer.try_add(batch)) put(entry, bytes);
        }
        if (target.packer.batch_count() == 1) first = entry;
        step += entry.bytes;
        if (step < kPackStep) continue;
        step = 0;
        co_await next_turn(parts_.reactor);
        if (is_interrupted_) co_return fail(Errc::Unavailable, "interrupted");
    }
    put_packed();
    std::swap(target.entries, entries);
    std::memcpy(target.buffer.data() + target.begin + sizeof(CommitHeader), packed.data(),
                packed.size());
    target.fill = target.begin + sizeof(CommitHeader) + packed.size();
    co_return Status{};
}

Task<Status> SegmentRewriter::close_commit(Target& target) {
    std::ranges::sort(target.entries, {}, [](const DirectoryEntry& entry) {
        return std::uint64_t{entry.shard} << 32 | entry.offset;
    });
    const std::size_t batches = target.fill - target.begin;
    if (parts_.config.packs && batches <= kPackedCommitBytes && target.entries.size() > 1)
        CO_TRY(co_await pack(target));
    const std::size_t bytes = target.entries.size() * sizeof(DirectoryEntry);
    std::byte* const base = target.buffer.data();
    if (bytes > 0) std::memcpy(base + target.fill, target.entries.data(), bytes);
    CommitHeader header{};
    header.magic = kCommitMagic;
    header.version = kCommitVersion;
    header.log_id = parts_.log_id;
    header.salt = target.segment->header.salt;
    header.number = target.last_number;
    header.durable = header.number - 1;
    header.arrival_ms = target.arrival_ms;
    header.lane = parts_.id.value;
    header.previous_check = target.previous_check;
    header.directory_offset = static_cast<std::uint32_t>(target.fill - target.begin);
    header.directory_count = static_cast<std::uint32_t>(target.entries.size());
    header.directory_crc = crc32c({base + target.fill, bytes});
    target.fill += bytes;
    header.bytes = static_cast<std::uint32_t>(target.fill - target.begin);
    write_commit_header(base + target.begin, header);
    target.previous_check = header.header_crc;
    for (const auto& entry : target.entries) {
        if (entry.is_control()) continue;
        const auto batch =
            RecordBatchView::parse_stamped({base + target.begin + entry.offset, entry.bytes});
        const std::int64_t last = target.arrival_ms + std::int64_t{entry.arrival_delta} +
                                  (batch ? batch->header().arrival_span_ms : 0);
        target.segment->building->add(target.position + target.begin, target.arrival_ms, entry,
                                      last);
    }
    target.entries.clear();
    target.is_open = false;
    target.segment->end_position = target.position + target.fill;
    co_return Status{};
}

Task<Status> SegmentRewriter::write_out(Target& target, bool is_all) {
    const std::size_t closed = target.is_open ? target.begin : target.fill;
    if (!is_all && closed < kWriteStep) co_return Status{};
    std::size_t ready = align_down(closed, kBlockBytes);
    if (is_all) {
        ready = align_up(closed, kBlockBytes);
        std::memset(target.buffer.data() + closed, 0, ready - closed);
    }
    for (std::size_t at = 0; at < ready; at += kWriteStep) {
        const auto bytes = std::min(kWriteStep, ready - at);
        CO_TRY(co_await target.segment->file->write(
            target.position + at, Bytes{target.buffer.data() + at, bytes}, Persistence::Cached));
        CO_TRY(co_await keep_pace(bytes));
    }
    if (ready < target.fill)
        std::memmove(target.buffer.data(), target.buffer.data() + ready, target.fill - ready);
    target.position += ready;
    target.fill -= std::min(ready, target.fill);
    target.begin -= std::min(ready, target.begin);
    co_return Status{};
}

Task<Status> SegmentRewriter::keep_pace(std::uint64_t bytes) {
    if (is_interrupted_) co_return fail(Errc::Unavailable, "interrupted");
    if (bytes == 0) co_return Status{};
    const double seconds =
        static_cast<double>(bytes) / static_cast<double>(parts_.config.rewrite_bytes_per_second);
    const auto now = parts_.mono_now();
    pace_ = std::max(pace_, now) + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                       std::chrono::duration<double>(seconds));
    if (pace_ - now > 10ms && !co_await parts_.gate.sleep_until(pace_))
        co_return fail(Errc::Unavailable, "interrupted");
    if (is_interrupted_) co_return fail(Errc::Unavailable, "interrupted");
    co_return Status{};
}

}  // namespace tidemill

#include "engine/log/commit_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>

#include "engine/base/crc32c.h"

namespace tidemill {
namespace {

constexpr std::size_t kHeaderCrcAt = offsetof(RecordBatchHeader, header_crc);
/// A block's rest below this is left alone: commits there would be small and many.
constexpr std::size_t kWorthFilling = 32_KiB;
/// The end of a segment that is left to controls while no successor stands ready: trims and seals
/// must go through when producers have to be refused.
constexpr std::uint64_t kControlRoom = 64_KiB;

std::size_t room_needed(std::size_t batch_bytes, std::size_t entries) {
    return align_up(batch_bytes, kCommitAlignment) + entries * sizeof(DirectoryEntry);
}

}  // namespace

void CommitWriter::start(std::uint64_t last, std::uint32_t last_check, std::int64_t arrival_ms) {
    TM_CHECK(pending_.empty() && in_flight_.empty() && !is_rolling_);
    next_number_ = last + 1;
    durable_number_ = written_number_ = last;
    last_check_ = last_check;
    arrival_ms_ = arrival_ms;
    segment_ = nullptr;
    end_position_ = 0;
    block_ = nullptr;
    last_buffer_ = {};
    is_broken_ = false;
    no_space_until_ = {};
    if (!is_stopping_) {
        ++background_;
        parts_.reactor.spawn(parts_.gate, prepare_spare());
    }
}

void CommitWriter::submit(AppendOp& op, Ownership ownership) {
    auto* state = parts_.shards.find(op.shard);
    if (is_refused(op, state, ownership.epoch)) return;
    if (op.batch.header().producer_id != 0 && is_settled_by_producer(op)) return;
    if (state->is_sealed || state->is_sealing)
        return reject(op, Outcome::Rejected, Errc::ShardClosed,
                      fmt::format("shard {} is closed", op.shard));
    if (is_overload(op) || is_without_space(op)) return;
    const Bytes bytes = op.batch.bytes();
    if (bytes.size() > wire_limits::kStoredBatchBytesMax ||
        bytes.size() < sizeof(RecordBatchHeader) || op.batch.record_count() == 0)
        return reject(op, Outcome::Rejected, Errc::TooLarge,
                      fmt::format("a batch of {} bytes", bytes.size()));
    state->epoch = std::max(state->epoch, ownership.epoch);
    arrival_ms_ = std::max(arrival_ms_, to_millis(parts_.wall_now()));
    const bool is_numbered = op.batch.header().producer_id != 0;
    ProducedBatch produced{};
    if (is_numbered) {
        produced = produced_batch(op.batch.header());
        produced.first_ordinal = state->next;
        produced.arrival_ms = arrival_ms_;
        produced.shard = op.shard.value;
        if (!parts_.producers.submit(produced))
            return reject(op, Outcome::Rejected, Errc::Throttled,
                          fmt::format("too many producers write to shard {} at once", op.shard));
    }
    auto& commit = room_for(bytes.size(), arrival_ms_);
    if (is_numbered) commit.produced.push_back(produced);

    std::byte* to = commit.block->buffer.data() + commit.end;
    const std::size_t padded = align_up(bytes.size(), kCommitAlignment);
    std::memcpy(to, bytes.data(), bytes.size());
    std::memset(to + bytes.size(), 0, padded - bytes.size());
    const auto count = op.batch.record_count();
    stamp_record_batch({to, bytes.size()}, op.shard, state->next, from_millis(arrival_ms_),
                       ownership.epoch);
    commit.entries.push_back({op.shard.value, static_cast<std::uint32_t>(commit.end - commit.begin),
                              static_cast<std::uint32_t>(bytes.size()), count, state->next,
                              load_le<std::uint32_t>(to + kHeaderCrcAt),
                              static_cast<std::uint32_t>(arrival_ms_ - commit.arrival_ms)});
    commit.ops.push_back(&op);
    commit.has_batches = true;
    commit.end += padded;
    commit.records += count;
    commit.batch_bytes += bytes.size();
    pending_bytes_ += bytes.size();
    op.result.first_ordinal = state->next;
    op.result.arrival = from_millis(arrival_ms_);
    state->next += count;
    parts_.reactor.request_turn_end(wake_);
    if (commit.bytes() >= parts_.config.early_write_bytes &&
        writing_ < parts_.config.writes_in_flight && !is_rolling_) {
        pump();
        parts_.reactor.disk().submit();
    }
}

void CommitWriter::submit_control(AppendOp& op, Control control, std::uint64_t value) {
    auto* state = parts_.shards.find(op.shard);
    if (is_refused(op, state, UINT32_MAX)) return;
    arrival_ms_ = std::max(arrival_ms_, to_millis(parts_.wall_now()));
    auto& commit = room_for(0, arrival_ms_);
    // Until it is sealed, or refused with all that is pending, or the lane has been recovered.
    if (control == Control::Seal) state->is_sealing = true;
    commit.entries.push_back({op.shard.value, 0, static_cast<std::uint32_t>(control), 0, value, 0,
                              static_cast<std::uint32_t>(arrival_ms_ - commit.arrival_ms)});
    commit.ops.push_back(&op);
    op.result.first_ordinal = value;
    op.result.arrival = from_millis(arrival_ms_);
    parts_.reactor.request_turn_end(wake_);
}

Commit& CommitWriter::room_for(std::size_t bytes, std::int64_t arrival_ms) {
    if (!pending_.empty() && !pending_.back()->is_closed) {
        auto& commit = *pending_.back();
        const std::size_t end = commit.end + room_needed(bytes, commit.entries.size() + 1);
        if (end <= commit.block->buffer.size() && end - commit.begin <= kCommitBytesMax &&
            arrival_ms - commit.arrival_ms <= UINT32_MAX)
            return commit;
        close(commit);
    }
    auto& commit = open_commit(bytes);
    commit.arrival_ms = arrival_ms;
    return commit;
}

// Keeps a commit's place in its block congruent, modulo 4096, to its later place in the file, so
// that it never moves: it follows its predecessor at once, or, when that one's last block may still
// be on its way to the disk, one block further.
Commit& CommitWriter::open_commit(std::size_t bytes) {
    const bool is_follower_free = pending_.empty() && in_flight_.empty();
    const std::size_t phase =
        block_ != nullptr ? cursor_ % kBlockBytes : end_position_ % kBlockBytes;
    const std::size_t needed = sizeof(CommitHeader) + room_needed(bytes, 1);
    std::size_t begin = cursor_;
    if (block_ != nullptr && !is_follower_free && phase != 0) begin += kSkippedBytes;
    if (block_ == nullptr || begin + std::max(needed, kWorthFilling) > block_->buffer.size()) {
        block_ = &parts_.cache.add_block(align_up(phase + needed, kBlockBytes));
        begin = phase;
    }
    std::unique_ptr<Commit> commit;
    if (idle_.empty()) {
        commit = std::make_unique<Commit>();
    } else {
        commit = std::move(idle_.back());
        idle_.pop_back();
    }
    commit->block = block_;
    commit->begin = begin;
    commit->end = begin + sizeof(CommitHeader);
    if (is_synced_later()) commit->opened = parts_.mono_now();
    ++block_->unfinished;
    pending_.push_back(std::move(commit));
    return *pending_.back();
}

void CommitWriter::close(Commit& commit) {
    if (parts_.config.durability == LogDurability::Memory) publish(commit);
    std::ranges::sort(commit.entries, {}, [](const DirectoryEntry& entry) {
        return std::uint64_t{entry.shard} << 32 | entry.offset;
    });
    std::byte* directory = commit.block->buffer.data() + commit.end;
    const std::size_t bytes = commit.entries.size() * sizeof(DirectoryEntry);
    std::memcpy(directory, commit.entries.data(), bytes);
    commit.end += bytes;
    commit.is_closed = true;
    cursor_ = commit.end;
}

// Its appends have been acknowledged already: it need not cost a write of its own.
bool CommitWriter::may_wait(const Commit& commit) const {
    return is_synced_later() && !commit.is_closed && !is_stopping_ &&
           commit.bytes() < parts_.config.second_write_bytes &&
           parts_.mono_now() < commit.opened + parts_.config.write_behind;
}

Task<void> CommitWriter::write_later(MonoTime when) {
    (void)co_await parts_.gate.sleep_until(when);
    is_wake_set_ = false;
    parts_.reactor.request_turn_end(wake_);
}

bool CommitWriter::may_write(const Commit& commit) const {
    if (may_wait(commit)) return false;
    if (in_flight_.empty()) return true;
    if (writing_ >= parts_.config.writes_in_flight) return false;
    return commit.is_closed || commit.bytes() >= parts_.config.second_write_bytes;
}

std::uint64_t CommitWriter::position_for(const Commit& commit) const {
    if (segment_ == nullptr) return UINT64_MAX;
    const bool is_shared = end_position_ % kBlockBytes != 0 && !in_flight_.empty();
    const std::uint64_t position = end_position_ + (is_shared ? kSkippedBytes : 0);
    TM_CHECK(position % kBlockBytes == commit.begin % kBlockBytes, "{} against {}", position,
             commit.begin);
    return position;
}

void CommitWriter::pump() {
    while (!in_flight_.empty() && in_flight_.front()->is_returned && !is_broken_) {
        auto commit = std::move(in_flight_.front());
        in_flight_.pop_front();
        if (!commit->status) {
            auto error = commit->status.error();
            in_flight_.push_front(std::move(commit));
            break_lane(std::move(error));
            break;
        }
        complete(std::move(commit));
    }
    const bool is_waiting_for_space =
        no_space_until_ != MonoTime{} && parts_.mono_now() < no_space_until_;
    while (!pending_.empty() && !is_broken_ && !is_rolling_ && may_write(*pending_.front())) {
        auto& commit = *pending_.front();
        if (!commit.is_closed) close(commit);
        const std::uint64_t position = position_for(commit);
        if (!fits_segment(commit, position)) {
            if (in_flight_.empty() && !ahead_.is_busy() && !is_waiting_for_space) {
                is_rolling_ = true;
                ++background_;
                parts_.reactor.spawn(parts_.gate, roll_over_and_prepare());
            }
            break;
        }
        if (ahead_.is_in_the_way(*segment_, align_up(position + commit.bytes(), kBlockBytes)))
            break;
        commit.position = position;
        auto taken = std::move(pending_.front());
        pending_.pop_front();
        seal_and_write(std::move(taken));
    }
    if (is_synced_later() && !is_broken_) {
        for (const auto& commit : pending_)
            publish(*commit);
        if (!pending_.empty() && !is_wake_set_ && may_wait(*pending_.front())) {
            is_wake_set_ = true;
            parts_.reactor.spawn(
                parts_.gate, write_later(pending_.front()->opened + parts_.config.write_behind));
        }
    }
    // Whoever does not wait for the disk gains nothing by zeros.
    if (!is_synced_later() && !is_rolling_ && !is_broken_ && !is_stopping_) {
        const std::size_t waiting = pending_.empty() ? 0 : pending_.front()->bytes();
        ahead_.go_on(segment_, end_position_, waiting);
    }
    parts_.cache.evict(parts_.shards);
}

bool CommitWriter::fits_segment(const Commit& commit, std::uint64_t position) const {
    if (position == UINT64_MAX) return false;
    const std::uint64_t end = align_up(position + commit.bytes(), kBlockBytes);
    const bool is_first = position == segment_->header.first_position;
    const bool may_fill = is_first || !commit.has_batches || !parts_.segments.spares().is_empty();
    return end + (may_fill ? 0 : kControlRoom) <= segment_->file_bytes;
}

// The blocks at both ends of the commit's range are written whole.
void CommitWriter::place_neighbours(const Commit& commit) {
    std::byte* base = commit.block->buffer.data();
    const std::size_t first = align_down(commit.begin, kBlockBytes);
    const std::size_t prefix = commit.begin - first;
    const bool is_follower =
        last_buffer_ && last_buffer_.data() == base && last_end_ == commit.begin;
    if (prefix > 0 && !is_follower) {
        const bool is_in_place = commit.position == end_position_ && last_buffer_ &&
                                 commit.position != segment_->header.first_position;
        if (is_in_place)
            std::memcpy(base + first, last_buffer_.data() + align_down(last_end_, kBlockBytes),
                        prefix);
        else
            std::memset(base + first, 0, prefix);
    }
    std::memset(base + commit.end, 0, align_up(commit.end, kBlockBytes) - commit.end);
}

void CommitWriter::seal_and_write(std::unique_ptr<Commit> taken) {
    auto& commit = *taken;
    CommitHeader header{};
    header.magic = kCommitMagic;
    header.version = kCommitVersion;
    header.log_id = parts_.log_id;
    header.salt = segment_->header.salt;
    header.number = commit.number = next_number_++;
    header.durable = durable_number_;
    header.arrival_ms = commit.arrival_ms;
    header.lane = parts_.id.value;
    header.previous_check = last_check_;
    header.bytes = static_cast<std::uint32_t>(commit.bytes());
    header.directory_count = static_cast<std::uint32_t>(commit.entries.size());
    const std::size_t directory = commit.entries.size() * sizeof(DirectoryEntry);
    header.directory_offset = static_cast<std::uint32_t>(commit.bytes() - directory);
    std::byte* base = commit.block->buffer.data();
    header.directory_crc = crc32c({base + commit.end - directory, directory});
    place_neighbours(commit);
    write_commit_header(base + commit.begin, header);

    ahead_.note_commit(commit.bytes());
    parts_.pacer.begin_write();
    last_check_ = header.header_crc;
    end_position_ = commit.position + commit.bytes();
    last_buffer_ = commit.block->buffer;
    last_end_ = commit.end;
    commit.issued = parts_.mono_now();
    in_flight_.push_back(std::move(taken));
    ++writing_;
    parts_.stats.writes_in_flight = static_cast<std::uint32_t>(in_flight_.size());
    if (parts_.config.durability == LogDurability::Memory) publish(commit);
    parts_.reactor.spawn(parts_.gate, write(commit, *segment_));
}

Task<void> CommitWriter::write(Commit& commit, Segment& segment) {
    const std::size_t begin = align_down(commit.begin, kBlockBytes);
    const std::size_t end = align_up(commit.end, kBlockBytes);
    parts_.stats.written_bytes += end - begin;
    commit.status = co_await segment.file->write(
        align_down(commit.position, kBlockBytes),
        Bytes{commit.block->buffer.data() + begin, end - begin},
        is_synced_later() ? Persistence::Cached : Persistence::Durable);
    parts_.pacer.end_write();
    commit.is_returned = true;
    --writing_;
    parts_.reactor.request_turn_end(wake_);
}

// Makes the commit's new entries visible and its appends finished. Its batches stand at the same
// place in the block from the moment they were appended.
void CommitWriter::publish(Commit& commit) {
    for (; commit.published_entries < commit.entries.size(); ++commit.published_entries) {
        const auto& entry = commit.entries[commit.published_entries];
        parts_.shards.publish(entry, commit.arrival_ms, 0);
        if (!entry.is_control())
            parts_.shards.get(entry.shard)
                .runs.push_back({entry.first_ordinal, commit.block->id,
                                 static_cast<std::uint32_t>(commit.begin) + entry.offset});
        if (advanced_.empty() || advanced_.back().value != entry.shard)
            advanced_.push_back(ShardUid{entry.shard});
    }
    for (; commit.published_ops < commit.ops.size(); ++commit.published_ops) {
        auto* op = commit.ops[commit.published_ops];
        op->result.outcome = Outcome::Committed;
        finished_.push_back(op);
    }
}

void CommitWriter::complete(std::unique_ptr<Commit> taken) {
    auto& commit = *taken;
    written_number_ = commit.number;
    if (!is_synced_later()) durable_number_ = commit.number;
    segment_->end_position = commit.position + commit.bytes();
    publish(commit);
    for (const auto& entry : commit.entries) {
        parts_.shards.learn(entry, commit.arrival_ms, 0);
        if (!entry.is_control()) segment_->building->add(commit.position, commit.arrival_ms, entry);
    }
    for (const auto& batch : commit.produced)
        parts_.producers.commit(batch);
    commit.block->commit_offsets.push_back(static_cast<std::uint32_t>(commit.begin));
    --commit.block->unfinished;
    pending_bytes_ -= commit.batch_bytes;
    auto& stats = parts_.stats;
    ++stats.commits;
    stats.batches += commit.entries.size();
    stats.records += commit.records;
    stats.batch_bytes += commit.batch_bytes;
    stats.commit_bytes.record(commit.bytes());
    stats.write_micros.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(parts_.mono_now() - commit.issued)
            .count()));
    stats.writes_in_flight = static_cast<std::uint32_t>(in_flight_.size());
    stats.pending_bytes = pending_bytes_;
    stats.cache_bytes = parts_.cache.bytes();
    recycle(std::move(taken));
}

void CommitWriter::recycle(std::unique_ptr<Commit> commit) {
    commit->entries.clear();
    commit->ops.clear();
    commit->produced.clear();
    commit->is_closed = commit->is_returned = commit->has_batches = false;
    commit->status = {};
    commit->records = commit->batch_bytes = 0;
    commit->published_entries = commit->published_ops = 0;
    commit->block = nullptr;
    idle_.push_back(std::move(commit));
}

void CommitWriter::deliver() {
    if (finished_.empty()) return;
    std::swap(finished_, delivering_);
    for (auto* op : delivering_)
        op->done(*op);
    delivering_.clear();
}

void CommitWriter::refuse_pending(Errc code, const std::string& message) {
    auto refused = std::exchange(pending_, {});
    for (auto& commit : refused) {
        for (const auto& entry : commit->entries) {
            auto& state = parts_.shards.get(entry.shard);
            if (!entry.is_control()) state.next = std::min(state.next, entry.first_ordinal);
            if (entry.is_control() && entry.bytes == static_cast<std::uint32_t>(Control::Seal))
                state.is_sealing = false;
        }
        for (const auto& batch : commit->produced)
            parts_.producers.withdraw(batch);
        for (std::size_t i = commit->published_ops; i < commit->ops.size(); ++i)
            reject(*commit->ops[i], Outcome::Rejected, code, message);
        pending_bytes_ -= commit->batch_bytes;
        --commit->block->unfinished;
        recycle(std::move(commit));
    }
    block_ = nullptr;  // the next commit's place follows from end_position_ again
}

void CommitWriter::break_lane(Error error) {
    if (is_broken_) return;
    is_broken_ = true;
    breakage_ = std::move(error);
    parts_.report("a write failed, reopening: " + breakage_.to_string());
    parts_.reactor.request_turn_end(wake_);
}

void CommitWriter::give_up() {
    TM_CHECK(is_broken_ && is_quiet());
    auto unknown = std::exchange(in_flight_, {});
    for (auto& commit : unknown) {
        for (std::size_t i = commit->published_ops; i < commit->ops.size(); ++i)
            reject(*commit->ops[i], Outcome::Unknown, Errc::IoFailed, breakage_.message);
        pending_bytes_ -= commit->batch_bytes;
        --commit->block->unfinished;
        recycle(std::move(commit));
    }
    refuse_pending(Errc::Unavailable,
                   "the log is reopening after a failed write: " + breakage_.message);
}

}  // namespace tidemill

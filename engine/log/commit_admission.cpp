// CommitWriter: which appends are taken, which are answered at once and with what.
#include <fmt/format.h>

#include "engine/log/commit_writer.h"

namespace tidemill {

void CommitWriter::reject(AppendOp& op, Outcome outcome, Errc code, std::string message) {
    op.result.outcome = outcome;
    op.result.error = Error(code, std::move(message));
    const auto turn_away = [&] {
        if (op.batch.bytes().empty()) return;  // a control
        const auto& batch = op.batch.header();
        parts_.producers.turn_away(op.shard, batch.producer_id, batch.producer_sequence);
    };
    switch (code) {
        case Errc::Throttled:
            ++parts_.stats.rejected_throttled;
            turn_away();
            break;
        case Errc::NoSpace:
            ++parts_.stats.rejected_no_space;
            turn_away();
            break;
        case Errc::Unavailable:
        case Errc::IoFailed:
            turn_away();
            [[fallthrough]];
        default:
            ++(outcome == Outcome::Unknown ? parts_.stats.unknown : parts_.stats.rejected_other);
    }
    finished_.push_back(&op);
    parts_.reactor.request_turn_end(wake_);
}

bool CommitWriter::is_refused(AppendOp& op, const ShardState* state, std::uint32_t epoch) {
    const auto refuse = [&](Outcome outcome, Errc code, std::string message) {
        reject(op, outcome, code, std::move(message));
        return true;
    };
    if (state == nullptr || !state->is_known || state->is_deleted)
        return refuse(Outcome::Rejected, Errc::NotFound,
                      fmt::format("shard {} does not exist", op.shard));
    if (epoch < state->epoch)
        return refuse(
            Outcome::Fenced, Errc::Fenced,
            fmt::format("shard {} is owned under epoch {}, not {}", op.shard, state->epoch, epoch));
    if (is_stopping_) return refuse(Outcome::Rejected, Errc::Unavailable, "the log is stopping");
    if (is_broken_)
        return refuse(Outcome::Rejected, Errc::Unavailable,
                      "the log is reopening after a failed write: " + breakage_.message);
    return false;
}

bool CommitWriter::is_overload(AppendOp& op) {
    if (pending_bytes_ == 0 ||
        pending_bytes_ + op.batch.bytes().size() <= parts_.config.pending_bytes_max)
        return false;
    reject(op, Outcome::Rejected, Errc::Throttled,
           fmt::format("{} bytes wait for the disk", pending_bytes_));
    return true;
}

bool CommitWriter::is_without_space(AppendOp& op) {
    if (no_space_until_ == MonoTime{} || parts_.mono_now() >= no_space_until_) return false;
    reject(op, Outcome::Rejected, Errc::NoSpace, no_space_);
    return true;
}

// A duplicate is answered even where nothing more can be stored: in a closed shard, on a full disk.
bool CommitWriter::is_settled_by_producer(AppendOp& op) {
    auto judged = parts_.producers.judge(op.shard, op.batch.header());
    switch (judged.verdict) {
        case SequenceVerdict::Next:
            return false;
        case SequenceVerdict::Committed:
            op.result = {Outcome::Committed,
                         judged.known.first_ordinal,
                         from_millis(judged.known.arrival_ms),
                         true,
                         {}};
            ++parts_.stats.duplicates;
            finished_.push_back(&op);
            parts_.reactor.request_turn_end(wake_);
            return true;
        case SequenceVerdict::Submitted:
            join_first_copy(op);
            return true;
        case SequenceVerdict::Refused:
            ++parts_.stats.out_of_order;
            reject(op, Outcome::Rejected, judged.error.code, std::move(judged.error.message));
            return true;
    }
    return false;
}

// The first copy is in a commit that is not durable yet: the repetition ends with it.
void CommitWriter::join_first_copy(AppendOp& op) {
    const auto& batch = op.batch.header();
    const auto joins = [&](Commit& commit) {
        for (const auto& first : commit.produced) {
            if (first.producer_id != batch.producer_id || first.shard != op.shard.value ||
                !is_repetition(batch, first))
                continue;
            op.result = {
                Outcome::Committed, first.first_ordinal, from_millis(first.arrival_ms), true, {}};
            commit.ops.push_back(&op);
            ++parts_.stats.duplicates;
            return true;
        }
        return false;
    };
    for (auto* commits : {&pending_, &in_flight_})
        for (auto& commit : *commits)
            if (joins(*commit)) return;
    ++parts_.stats.out_of_order;
    reject(op, Outcome::Rejected, Errc::SequenceConflict,
           fmt::format("producer {:016x} in shard {}: records from {} are numbers of other batches "
                       "on their way",
                       batch.producer_id, op.shard, batch.producer_sequence));
}

}  // namespace tidemill

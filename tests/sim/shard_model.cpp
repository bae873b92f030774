#include "tests/sim/shard_model.h"

#include <charconv>
#include <cstring>

namespace tidemill::sim {
namespace {

char filling(std::uint64_t id, std::uint32_t index) {
    return static_cast<char>('a' + (id + index) % 26);
}

void write_text(std::string& text, std::uint64_t id, std::uint32_t index, std::size_t bytes) {
    text = fmt::format_int(id).str();
    text += '/';
    text += fmt::format_int(index).str();
    text += '/';
    text.resize(std::max(bytes, text.size()), filling(id, index));
}

struct RecordName {
    std::uint64_t id = 0;  // of the append
    std::uint32_t index = 0;
};

/// Which record the text is; nothing when it is none, or not whole.
std::optional<RecordName> read_text(std::string_view text) {
    RecordName name;
    const char* end = text.data() + text.size();
    const auto of_append = std::from_chars(text.data(), end, name.id);
    if (of_append.ec != std::errc() || of_append.ptr == end || *of_append.ptr != '/')
        return std::nullopt;
    const auto of_record = std::from_chars(of_append.ptr + 1, end, name.index);
    if (of_record.ec != std::errc() || of_record.ptr == end || *of_record.ptr != '/')
        return std::nullopt;
    const char* after = of_record.ptr + 1;
    if (after == end) return name;
    const auto rest = static_cast<std::size_t>(end - after);
    if (*after != filling(name.id, name.index) || std::memcmp(after, after + 1, rest - 1) != 0)
        return std::nullopt;
    return name;
}

void ended(AppendOp& op) noexcept {
    auto& sent = static_cast<Sent&>(op);
    const auto& journal = *sent.journal;
    journal.expect(!sent.is_ended, "append {} ends twice", sent.id);
    sent.is_ended = true;
    if (journal.is_verbose())
        journal.note("    append {} to shard {}: {} {}", sent.id, sent.shard,
                     sent.result.outcome == Outcome::Committed
                         ? fmt::format("committed at {}", sent.result.first_ordinal)
                     : sent.result.outcome == Outcome::Unknown ? "unknown"
                     : sent.result.outcome == Outcome::Fenced  ? "fenced"
                                                               : "rejected",
                     sent.result.error.message);
    if (sent.result.outcome != Outcome::Committed) return;
    journal.expect(sent.may_commit, "append {} was committed to a shard that was closed to it",
                   sent.id);
    sent.model->must_have(journal, sent.result.first_ordinal, sent);
}

}  // namespace

Sent& SentLedger::add(const Journal& journal, ShardModel& model, std::uint32_t count,
                      std::size_t record_bytes) {
    auto sent = std::make_unique<Sent>();
    sent->id = all_.size();
    sent->journal = &journal;
    sent->model = &model;
    sent->shard = model.uid;
    sent->count = count;
    builder_.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
        write_text(text_, sent->id, i, record_bytes);
        builder_.add("", as_bytes(text_));
    }
    const auto built = builder_.finish();
    sent->bytes.assign(built.bytes().begin(), built.bytes().end());
    sent->batch = RecordBatchView::trusted(sent->bytes);
    sent->done = ended;
    all_.push_back(std::move(sent));
    return *all_.back();
}

std::vector<Piece> SentLedger::identify(const RecordBatchView& batch) const {
    RecordCursor cursor(batch);
    std::vector<Piece> pieces;
    Ordinal next = 0;
    for (RecordView record; cursor.next(record); next = cursor.ordinal() + 1) {
        const auto name = read_text(as_text(record.data));
        if (!name || name->id >= all_.size()) return {};
        const Piece piece{all_[name->id].get(), cursor.ordinal() - name->index, cursor.ordinal(),
                          cursor.arrival()};
        const bool is_new = pieces.empty() || next == pieces.back().end();
        if (!is_new && (piece.sent != pieces.back().sent || piece.first != pieces.back().first ||
                        piece.arrival != pieces.back().arrival))
            return {};
        if (!is_new) continue;
        if (!pieces.empty() && piece.at != piece.first) return {};
        pieces.push_back(piece);
    }
    const bool is_whole = cursor.status() && !pieces.empty() && next == pieces.back().end();
    const bool is_one = is_whole && pieces.size() == 1 && pieces.front().at == pieces.front().first;
    if (!is_whole || (!is_one && !batch.is_packed())) return {};
    return pieces;
}

void ShardModel::must_have(const Journal& journal, Ordinal at, const Sent& sent) {
    const auto arrival = to_millis(sent.result.arrival);
    const auto [known, is_new] = must_.try_emplace(at, Known{&sent, arrival});
    journal.expect(is_new || known->second.sent == &sent,
                   "shard {}: ordinal {} was given to appends {} and {}", uid, at,
                   known->second.sent->id, sent.id);
    const auto gone = gone_.find(at);
    journal.expect(gone == gone_.end() || gone->second == &sent,
                   "shard {}: ordinal {} is given a second time", uid, at);
    if (!is_new) return;
    may_.erase(&sent);
    end_least = std::max(end_least, at + sent.count);
    if (known != must_.begin()) {
        const auto before = std::prev(known);
        journal.expect(before->first + before->second.sent->count <= at,
                       "shard {}: appends {} and {} overlap at ordinal {}", uid,
                       before->second.sent->id, sent.id, at);
    }
    if (const auto after = std::next(known); after != must_.end())
        journal.expect(at + sent.count <= after->first,
                       "shard {}: appends {} and {} overlap at ordinal {}", uid, sent.id,
                       after->second.sent->id, after->first);
}

void ShardModel::read(const Journal& journal, const WorldTime& time, Ordinal from,
                      const Piece& piece) {
    auto& sent = *piece.sent;
    const Ordinal at = piece.first;
    journal.expect(sent.shard == uid, "shard {} serves append {} of shard {}", uid, sent.id,
                   sent.shard);
    journal.expect(piece.end() > from, "shard {}: a read from {} is given {} to {}", uid, from, at,
                   piece.end());
    journal.expect(piece.at <= std::max({from, at, trim_asked}),
                   "shard {}: append {} lacks its records {} to {}", uid, sent.id, at, piece.at);
    if (at > from) pass_over(journal, time, from, at);
    const bool was_known = must_.contains(at) || gone_.contains(at);
    const bool is_ok =
        was_known || may_.contains(&sent) ||
        (sent.life == time.life && !(sent.is_ended && sent.result.outcome == Outcome::Rejected) &&
         !(sent.is_ended && sent.result.outcome == Outcome::Fenced));
    journal.expect(is_ok, "shard {}: append {} was refused or is gone, and is there at {}", uid,
                   sent.id, at);
    const bool is_acknowledged = sent.is_ended && sent.result.outcome == Outcome::Committed;
    journal.expect(!is_acknowledged || sent.result.first_ordinal == at,
                   "shard {}: append {} was acknowledged at {} and is read at {}", uid, sent.id,
                   sent.result.first_ordinal, at);
    journal.expect(!is_acknowledged || sent.result.arrival == piece.arrival,
                   "shard {}: append {} has another arrival time than was acknowledged", uid,
                   sent.id);
    sent.is_seen = true;
    if (!gone_.contains(at)) {
        must_have(journal, at, sent);
        must_.at(at).arrival_ms = to_millis(piece.arrival);
    }
}

void ShardModel::pass_over(const Journal& journal, const WorldTime& time, Ordinal from,
                           Ordinal to) {
    auto known = must_.lower_bound(from);
    while (known != must_.end() && known->first < to) {
        const auto& [at, what] = *known;
        journal.expect(may_be_gone(time, at, *what.sent),
                       "shard {}: append {} ({} to {}), acknowledged, is not there; the shard goes "
                       "on at {}",
                       uid, what.sent->id, at, at + what.sent->count, to);
        gone_.emplace(at, what.sent);
        known = must_.erase(known);
    }
    Ordinal covered = from;
    for (auto gone = gone_.lower_bound(from); gone != gone_.end() && gone->first < to; ++gone) {
        widest_hole_ = std::max(widest_hole_, gone->first - std::min(gone->first, covered));
        covered = std::max(covered, gone->first + gone->second->count);
    }
    widest_hole_ = std::max(widest_hole_, to - std::min(to, covered));
}

void ShardModel::forget_unknown() {
    std::erase_if(may_, [&](const Sent* sent) { return sent->count > widest_hole_; });
}

// Trimmed, or older than its retention, by time that has really passed; what an earlier process has
// stamped is judged by its stamp, since a clock that was wrong then is not known to be now.
bool ShardModel::may_be_gone(const WorldTime& time, Ordinal at, const Sent& sent) const {
    if (at + sent.count <= trim_asked) return true;
    const std::int64_t kept = least_retention.count() - time.slack_ms;
    if (sent.life == time.life) return sent.sent_ms + kept <= time.now_ms;
    const auto known = must_.find(at);
    return known->second.may_go || known->second.arrival_ms + kept <= time.undisturbed_ms ||
           sent.sent_ms + kept <= time.now_ms;
}

void ShardModel::end_life(const WorldTime& time) {
    for (auto& [at, known] : must_)
        if (!known.may_go) known.may_go = may_be_gone(time, at, *known.sent);
}

void ShardModel::secure() { secured_ = {end_least, trimmed, is_sealed, sealed_end}; }

void ShardModel::doubt() {
    end_least = secured_.end;
    trimmed = secured_.trimmed;
    is_sealed = secured_.is_sealed;
    sealed_end = secured_.sealed_end;
}

bool ShardModel::settle_for(const Journal& journal, const TailInfo& tail) {
    journal.expect(tail.end >= secured_.end, "shard {} ends at {} and was synced up to {}", uid,
                   tail.end, secured_.end);
    auto lost = must_.lower_bound(tail.end);
    if (lost != must_.begin()) {
        const auto& [at, last] = *std::prev(lost);
        journal.expect(at + last.sent->count <= tail.end,
                       "shard {}: append {} ({} to {}) is there in part: the shard ends at {}", uid,
                       last.sent->id, at, at + last.sent->count, tail.end);
    }
    const bool is_less = lost != must_.end();
    must_.erase(lost, must_.end());
    gone_.erase(gone_.lower_bound(tail.end), gone_.end());
    may_.clear();
    return is_less;
}

std::optional<Ordinal> ShardModel::next_known(Ordinal from) const {
    const auto known = must_.lower_bound(from);
    if (known == must_.end()) return std::nullopt;
    return known->first;
}

void ShardModel::excuse(Ordinal begin, Ordinal end) {
    auto known = must_.lower_bound(begin);
    if (known != must_.begin()) {
        const auto before = std::prev(known);
        if (before->first + before->second.sent->count > begin) known = before;
    }
    while (known != must_.end() && known->first < end) {
        gone_.emplace(known->first, known->second.sent);
        known = must_.erase(known);
    }
}

}  // namespace tidemill::sim

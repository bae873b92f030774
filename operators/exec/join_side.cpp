#include "operators/exec/join_side.h"

#include <algorithm>
#include <bit>

#include "operators/state/key_hash.h"

namespace tidemill::sql {

namespace {

constexpr std::size_t kFewestSlots = 64;
constexpr std::size_t kSpareChunks = 2;

}  // namespace

JoinSide::JoinSide(const Schema& rows, const std::vector<ExpressionPtr>& keys, JoinWindow window,
                   bool keeps_unmatched)
    : window_(window), keeps_unmatched_(keeps_unmatched), slots_(kFewestSlots) {
    for (const auto& field : rows.fields)
        types_.push_back(field.type);
    for (const auto& key : keys)
        key_types_.push_back(key->type());
}

JoinChunk& JoinSide::chunk_to_fill() {
    if (end_ % kBatchRows != 0 && !chunks_.empty()) return *chunks_.back();
    if (!spare_.empty()) {
        chunks_.push_back(std::move(spare_.back()));
        spare_.pop_back();
        return *chunks_.back();
    }
    auto made = std::make_unique<JoinChunk>();
    for (const auto& type : types_)
        made->rows.columns.emplace_back(type);
    for (const auto& type : key_types_)
        made->keys.emplace_back(type);
    chunks_.push_back(std::move(made));
    return *chunks_.back();
}

void JoinSide::append(const Batch& batch, const Selection& rows,
                      std::span<const Column* const> keys) {
    for (std::size_t i = 0; i < rows.count;) {
        auto& to = chunk_to_fill();
        const auto from = to.rows.size();
        const auto n = std::min(rows.count - i, kBatchRows - from);
        const auto copy = [&](Column& column, const Column& source) {
            for (std::size_t k = 0; k < n; ++k)
                column.append_from(source, rows[i + k]);
        };
        for (std::size_t c = 0; c < types_.size(); ++c)
            copy(to.rows.columns[c], *batch.columns[c]);
        copy(to.rows.rowtime, *batch.rowtime);
        for (std::size_t c = 0; c < key_types_.size(); ++c)
            copy(to.keys[c], *keys[c]);
        set_hashes(to, from);
        end_ += n;
        i += n;
    }
}

// For the rows from `from` on; one list of all for a join without keys.
void JoinSide::set_hashes(JoinChunk& chunk, std::size_t from) {
    const auto rows = chunk.rows.size();
    chunk.hashes.resize(rows, 0);
    chunk.older.resize(rows, kNoJoinRow);
    chunk.matches.resize(rows, JoinChunk::None);
    for (const auto& key : chunk.keys)
        for (auto row = from; row < rows; ++row)
            chunk.hashes[row] = mix_hash(chunk.hashes[row] * 31 + hash_value(key, row));
    for (auto row = from; row < rows; ++row)
        chunk.hashes[row] |= 1;
    for (const auto& key : chunk.keys)
        if (key.has_nulls())
            for (auto row = from; row < rows; ++row)
                if (key.is_null(row)) chunk.hashes[row] = JoinChunk::kNoKey;
}

void JoinSide::enter() {
    const auto row = next_++;
    if (chunk(row).hashes[row % kBatchRows] != JoinChunk::kNoKey) index(row);
}

void JoinSide::index(JoinRow row) {
    if (used_slots_ * 4 >= slots_.size() * 3) rebuild_index();
    auto& its_chunk = *chunks_[(row - base_) / kBatchRows];
    const auto hash = its_chunk.hashes[row % kBatchRows];
    const auto mask = slots_.size() - 1;
    Slot* place = nullptr;
    for (auto at = (hash >> 1) & mask;; at = (at + 1) & mask) {
        auto& slot = slots_[at];
        const bool is_free = slot.hash == JoinChunk::kNoKey;
        if (slot.hash == hash) {
            its_chunk.older[row % kBatchRows] = slot.newest >= front_ ? slot.newest : kNoJoinRow;
            slot.newest = row;
            return;
        }
        // A list whose rows have all left gives its slot away.
        if (place == nullptr && (is_free || slot.newest < front_)) place = &slot;
        if (is_free) break;
    }
    used_slots_ += place->hash == JoinChunk::kNoKey ? 1 : 0;
    *place = {hash, row};
    its_chunk.older[row % kBatchRows] = kNoJoinRow;
}

// With the lists that have rows in the window, and room for as many again.
void JoinSide::rebuild_index() {
    std::vector<Slot> live;
    for (const auto& slot : slots_)
        if (slot.hash != JoinChunk::kNoKey && slot.newest >= front_) live.push_back(slot);
    slots_.assign(std::max(kFewestSlots, std::bit_ceil(live.size() * 4)), {});
    used_slots_ = live.size();
    const auto mask = slots_.size() - 1;
    for (const auto& slot : live) {
        auto at = (slot.hash >> 1) & mask;
        while (slots_[at].hash != JoinChunk::kNoKey)
            at = (at + 1) & mask;
        slots_[at] = slot;
    }
}

bool JoinSide::has_same_key(const JoinChunk& a, std::size_t i, const JoinChunk& b,
                            std::size_t j) const {
    for (std::size_t c = 0; c < key_types_.size(); ++c) {
        const auto &x = a.keys[c], &y = b.keys[c];
        switch (key_types_[c].storage()) {
            case Storage::Text:
                if (x.text_at(i) != y.text_at(j)) return false;
                break;
            case Storage::Double:
                if (x.double_at(i) != y.double_at(j)) return false;
                break;
            default:
                if (x.int_at(i) != y.int_at(j)) return false;
        }
    }
    return true;
}

void JoinSide::find(const JoinSide& other, JoinRow row, std::vector<JoinRow>& found) const {
    found.clear();
    const auto& its_chunk = other.chunk(row);
    const auto hash = its_chunk.hashes[row % kBatchRows];
    if (hash == JoinChunk::kNoKey) return;
    const auto mask = slots_.size() - 1;
    for (auto at = (hash >> 1) & mask; slots_[at].hash != JoinChunk::kNoKey; at = (at + 1) & mask) {
        if (slots_[at].hash != hash) continue;
        for (auto match = slots_[at].newest; match != kNoJoinRow && match >= front_;) {
            const auto& match_chunk = chunk(match);
            const auto place = match % kBatchRows;
            if (has_same_key(its_chunk, row % kBatchRows, match_chunk, place))
                found.push_back(match);
            match = match_chunk.older[place];
        }
        break;
    }
    std::ranges::reverse(found);
}

void JoinSide::forget() {
    while (!chunks_.empty() && base_ + kBatchRows <= front_) {
        auto chunk = std::move(chunks_.front());
        chunks_.pop_front();
        base_ += kBatchRows;
        if (spare_.size() >= kSpareChunks) continue;
        chunk->rows.clear();
        for (auto& key : chunk->keys)
            key.clear();
        chunk->hashes.clear();
        chunk->older.clear();
        chunk->matches.clear();
        spare_.push_back(std::move(chunk));
    }
}

void JoinSide::save(StateWriter& to) const {
    to.put_int(bound);
    to.put_count(end_ - front_);
    to.put_count(next_ - front_);
    RowBatch rows;
    std::vector<Column> keys;
    for (const auto& type : types_)
        rows.columns.emplace_back(type);
    for (const auto& type : key_types_)
        keys.emplace_back(type);
    Column matches(TypeKind::Boolean);
    for (auto row = front_; row < end_; ++row) {
        const auto& from = chunk(row);
        const auto place = row % kBatchRows;
        for (std::size_t c = 0; c < types_.size(); ++c)
            rows.columns[c].append_from(from.rows.columns[c], place);
        rows.rowtime.append_from(from.rows.rowtime, place);
        for (std::size_t c = 0; c < keys.size(); ++c)
            keys[c].append_from(from.keys[c], place);
        matches.append_bool(from.matches[place] == JoinChunk::Certain);
    }
    to.put_rows(rows);
    for (const auto& key : keys)
        to.put_column(key);
    to.put_column(matches);
}

void JoinSide::load(StateReader& from) {
    bound = from.take_int();
    const auto rows = from.take_count();
    const auto in_window = from.take_count();
    RowBatch kept;
    std::vector<Column> keys;
    for (const auto& type : types_)
        kept.columns.emplace_back(type);
    for (const auto& type : key_types_)
        keys.emplace_back(type);
    Column matches(TypeKind::Boolean);
    from.take_rows(kept);
    bool fits = kept.size() == rows && in_window <= rows;
    for (auto& key : keys) {
        from.take_column(key);
        fits &= key.size() == rows;
    }
    from.take_column(matches);
    if (from.has_failed() || !fits || matches.size() != rows) return from.fail();
    for (std::size_t row = 0; row < rows; ++row) {
        auto& to = chunk_to_fill();
        for (std::size_t c = 0; c < types_.size(); ++c)
            to.rows.columns[c].append_from(kept.columns[c], row);
        to.rows.rowtime.append_from(kept.rowtime, row);
        for (std::size_t c = 0; c < keys.size(); ++c)
            to.keys[c].append_from(keys[c], row);
        set_hashes(to, to.rows.size() - 1);
        if (matches.bool_at(row)) to.matches.back() = JoinChunk::Certain;
        ++end_;
    }
    while (next_ < in_window)
        enter();
}

}  // namespace tidemill::sql

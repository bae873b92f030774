#include "operators/exec/top_n.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::sql {

namespace {

std::vector<Type> types_of(const Schema& schema, std::span<const std::size_t> columns) {
    std::vector<Type> types;
    for (const auto column : columns)
        types.push_back(schema[column].type);
    return types;
}

// The visible columns but for the rank.
std::vector<std::size_t> kept_columns(std::size_t visible, const TopNNode& node) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < visible; ++i)
        if (i != node.rank) columns.push_back(i);
    return columns;
}

}  // namespace

TopN::TopN(ExecContext& context, std::string pump, Schema input, TopNNode node,
           const Schema& output)
    : Operator(context, std::move(pump), "TopN", std::move(input)),
      node_(std::move(node)),
      visible_(output.size() - 1),
      keeps_rows_(node_.limit > 1 && (node_.has_rank || node_.has_op)),
      sort_key_(types_of(this->input(), node_.order), node_.is_descending),
      codec_(types_of(this->input(), kept_columns(visible_, node_))),
      groups_(types_of(this->input(), node_.partition)),
      budget_(node_.limits),
      window_(node_.monotonic ? this->input()[*node_.monotonic].type : Type()),
      out_(output),
      rank_(Column::constant(Value::integer(1))),
      op_(Type::varchar(2)) {
    for (const auto column : kept_columns(visible_, node_))
        out_columns_.push_back(&out_.columns[column]);
}

void TopN::on_batch(const Batch& batch) {
    batch_ = &batch;
    keys_.clear();
    order_.clear();
    row_columns_.clear();
    for (const auto column : node_.partition)
        keys_.push_back(batch.columns[column]);
    for (const auto column : node_.order)
        order_.push_back(batch.columns[column]);
    for (std::size_t i = 0; i < visible_; ++i)
        if (i != node_.rank) row_columns_.push_back(batch.columns[i]);
    group_of_row_.resize(std::max(group_of_row_.size(), batch.rows));
    if (node_.monotonic) {
        // Runs of rows of one window.
        const auto& rows = batch.selection;
        std::size_t run_start = 0;
        for (std::size_t i = 0; i < rows.count; ++i) {
            if (!starts_window(batch, rows[i])) continue;
            add(rows.sub(run_start, i - run_start, part_));
            run_start = i;
            forget_window(batch, rows[i]);
        }
        add(rows.sub(run_start, rows.count - run_start, part_));
    } else {
        add(batch.selection);
    }
    emit_changes();
    batch_ = nullptr;
}

void TopN::add(const Selection& rows) {
    if (rows.count == 0) return;
    if (budget_.is_sweep_due(batch_->rowtime->int_at(rows[rows.count - 1])))
        keep(budget_.unexpired(batch_->rowtime->int_at(rows[0])));
    budget_.allows(kept_rows() + rows.count) && !groups_.is_crowded() ? add_within_limits(rows)
                                                                      : add_one_by_one(rows);
}

void TopN::add_within_limits(const Selection& rows) {
    groups_.find_or_add(keys_, rows, group_of_row_);
    const auto count = groups_.size();
    ranked_.resize(count);
    budget_.resize(count);
    changes_.resize(count);
    rows.for_each([&](std::size_t row) {
        const auto group = group_of_row_[row];
        const auto time = batch_->rowtime->int_at(row);
        if (budget_.has_expired(group, time)) {
            if (changes_[group].round == round_ + 1) emit_changes();
            forget_rows(group);
        }
        budget_.touch(group, time);
        add_row(row, group);
    });
}

void TopN::add_one_by_one(const Selection& rows) {
    for (std::size_t i = 0; i < rows.count; ++i) {
        const auto row = rows[i];
        one_.assign(1, static_cast<RowIndex>(row));
        const auto one = Selection::of(one_);
        groups_.find(keys_, one, group_of_row_);
        const auto group = group_of_row_[row];
        const bool grows = group == GroupTable::kNoGroup || ranked_.of(group).size() < node_.limit;
        if (grows && !make_room(row)) {
            reject(*batch_, row, "STATE_LIMIT",
                   fmt::format("TopN keeps {} rows, and state_limit is {}.", kept_rows(),
                               budget_.limits().rows));
            continue;
        }
        add_within_limits(one);
    }
}

// Whether one more row may be kept, now.
bool TopN::make_room(std::size_t row) {
    while (!budget_.allows(kept_rows() + 1) || groups_.is_crowded()) {
        const auto kept = budget_.after_making_room(batch_->rowtime->int_at(row));
        if (kept.size() == groups_.size()) return false;
        keep(kept);
    }
    return true;
}

void TopN::keep(std::span<const std::uint32_t> groups) {
    if (groups.size() == groups_.size()) return;
    if (batch_ != nullptr) emit_changes();
    std::size_t next = 0;
    for (std::uint32_t group = 0; group < groups_.size(); ++group) {
        if (next < groups.size() && groups[next] == group)
            ++next;
        else
            forget_rows(group);
    }
    groups_.keep(groups);
    ranked_.keep(groups);
    budget_.keep(groups);
    changes_.assign(groups.size(), Change{});
    round_ = 0;
}

void TopN::drop_key(const RankedRow& row) {
    if (!sort_key_.is_exact()) heap_.drop(row.key.rest);
}

void TopN::forget_rows(std::uint32_t group) {
    for (const auto& row : ranked_.of(group)) {
        drop_key(row);
        if (keeps_rows_) heap_.drop(row.number());
    }
    ranked_.clear_group(group);
}

// `a_bytes` are the key of `a` where it is not exact.
bool TopN::is_less(const RankedRow& a, std::string_view a_bytes, const RankedRow& b) const {
    if (sort_key_.is_exact()) return a.key < b.key;
    if (a.key.prefix != b.key.prefix) return a.key.prefix < b.key.prefix;
    return a_bytes < heap_.get(b.key.rest);
}

// Where a new row belongs.
std::size_t TopN::place_of(std::uint32_t group, const RankedRow& row,
                           std::string_view bytes) const {
    const auto rows = ranked_.of(group);
    const auto is_before = [&](const RankedRow& other) {  // `other` stays before the new row
        if (is_less(row, bytes, other)) return false;
        if (!node_.later_first) return true;
        return sort_key_.is_exact()
                   ? other.key < row.key
                   : other.key.prefix < row.key.prefix || heap_.get(other.key.rest) != bytes;
    };
    if (rows.empty() || is_before(rows.back())) return rows.size();
    return static_cast<std::size_t>(std::partition_point(rows.begin(), rows.end(), is_before) -
                                    rows.begin());
}

void TopN::add_row(std::size_t row, std::uint32_t group) {
    RankedRow made;
    if (sort_key_.is_exact()) {
        made.key = sort_key_.part(*order_[0], row);
    } else {
        sort_key_.encode(order_, row, bytes_);
        made.key.prefix = SortKey::prefix_of(bytes_);
    }
    const auto place = place_of(group, made, bytes_);
    if (place >= node_.limit) return;
    if (!sort_key_.is_exact()) made.key.rest = heap_.put(bytes_);
    if (keeps_rows_) {
        codec_.encode(row_columns_, row, row_bytes_);
        made.row = heap_.put(row_bytes_);
    } else {
        made.row = static_cast<std::uint32_t>(row);
    }
    made.row |= RankedRow::kFresh;
    auto& change = changes_[group];
    if (change.round != round_ + 1) {
        change = {.round = round_ + 1,
                  .from = static_cast<std::uint32_t>(place),
                  .was_shown = static_cast<std::uint32_t>(ranked_.of(group).size())};
        changed_.push_back(group);
    }
    change.from = std::min(change.from, static_cast<std::uint32_t>(place));
    change.last_row = added_++;
    change.time = batch_->rowtime->int_at(row);
    if (ranked_.of(group).size() < node_.limit) return ranked_.insert(group, place, made);
    const auto last = ranked_.insert_and_drop_last(group, place, made);
    drop_key(last);
    if (!keeps_rows_) return;
    if (node_.has_rank || last.is_fresh())
        heap_.drop(last.number());
    else
        displaced_.push_back({group, last.number(), static_cast<std::uint32_t>(displaced_.size())});
}

bool TopN::starts_window(const Batch& batch, std::size_t row) const {
    if (window_.size() == 0) return true;
    const auto& now = *batch.columns[*node_.monotonic];
    if (now.is_null(row) || window_.is_null(0)) return now.is_null(row) != window_.is_null(0);
    return window_.type().storage() == Storage::Text ? now.text_at(row) != window_.text_at(0)
                                                     : now.int_at(row) != window_.int_at(0);
}

// Partitions that are over say nothing more, and take no memory.
void TopN::forget_window(const Batch& batch, std::size_t row) {
    emit_changes();
    groups_.clear();
    ranked_.clear();
    heap_.clear();
    budget_.clear();
    changes_.clear();
    round_ = 0;
    window_.clear();
    window_.append_from(*batch.columns[*node_.monotonic], row);
}

void TopN::emit_changes() {
    if (changed_.empty()) return;
    if (!keeps_rows_) {
        emit_batch_rows();
    } else {
        // ROWTIME ascends: partitions in the order of their latest changes.
        std::ranges::sort(changed_, {},
                          [&](std::uint32_t group) { return changes_[group].last_row; });
        node_.has_rank ? emit_ranks() : emit_moves();
        flush_out(true);
    }
    changed_.clear();
    added_ = 0;
    if (++round_ == 0xfffffffe) {
        std::ranges::fill(changes_, Change{});
        round_ = 0;
    }
}

// The fresh rows, from the batch itself.
void TopN::emit_batch_rows() {
    if (node_.has_op) op_.reset(batch_->rows);
    fresh_.clear();
    for (const auto group : changed_)
        for (auto& row : ranked_.of(group)) {
            if (!row.is_fresh()) continue;
            row.row = row.number();
            fresh_.push_back(static_cast<RowIndex>(row.number()));
            if (node_.has_op)
                op_.set_text(row.number(), changes_[group].was_shown > 0 ? "+U" : "+I");
        }
    std::ranges::sort(fresh_);
    Batch out;
    out.columns.assign(batch_->columns.begin(),
                       batch_->columns.begin() + static_cast<std::ptrdiff_t>(visible_));
    if (node_.has_rank) out.columns[node_.rank] = &rank_;
    out.columns.push_back(&op_);
    out.rowtime = batch_->rowtime;
    out.rows = batch_->rows;
    out.selection = Selection::of(fresh_);
    emit(out);
}

void TopN::emit_ranks() {
    for (const auto group : changed_) {
        const auto& change = changes_[group];
        const auto rows = ranked_.of(group);
        for (auto& row : rows)
            row.row = row.number();
        for (std::size_t i = change.from; i < rows.size(); ++i)
            append_kept(rows[i].number(), static_cast<std::int64_t>(i) + 1,
                        i < change.was_shown ? "+U" : "+I", change.time);
    }
}

void TopN::emit_moves() {
    std::ranges::sort(displaced_, {}, [&](const Displaced& row) {
        return std::pair(changes_[row.group].last_row, row.order);
    });
    auto gone = displaced_.begin();
    for (const auto group : changed_) {
        const auto time = changes_[group].time;
        for (; gone != displaced_.end() && gone->group == group; ++gone) {
            append_kept(gone->row, 0, "-D", time);
            heap_.drop(gone->row);
        }
        for (auto& row : ranked_.of(group)) {
            if (!row.is_fresh()) continue;
            row.row = row.number();
            append_kept(row.number(), 0, "+I", time);
        }
    }
    displaced_.clear();
}

void TopN::append_kept(std::uint32_t row, std::int64_t rank, std::string_view op,
                       std::int64_t time) {
    codec_.decode(heap_.get(row), out_columns_);
    out_.columns[node_.rank].append_int(rank);
    out_.columns[visible_].append_text(op);
    out_.rowtime.append_int(time);
    flush_out(false);
}

void TopN::flush_out(bool is_last) {
    if (!out_.is_full() && !is_last) return;
    emit(out_.view());
    out_.clear();
}

void TopN::on_bound(std::int64_t bound) {
    if (bound != kEndOfTime && budget_.is_sweep_due(bound)) keep(budget_.unexpired(bound));
    pass_bound(bound);
}

void TopN::save(StateWriter& to) const {
    to.put_column(window_);
    groups_.snapshot(to);
    budget_.snapshot(to);
    for (std::size_t group = 0; group < groups_.size(); ++group) {
        const auto rows = ranked_.of(group);
        to.put_count(rows.size());
        for (const auto& row : rows) {
            if (sort_key_.is_exact()) {
                to.put_int(static_cast<std::int64_t>(row.key.prefix));
                to.put_count(row.key.rest);
            } else {
                to.put_text(heap_.get(row.key.rest));
            }
            if (keeps_rows_) to.put_text(heap_.get(row.number()));
        }
    }
}

void TopN::load(StateReader& from) {
    from.take_column(window_);
    if (window_.size() > 1) return from.fail();
    groups_.restore(from);
    const auto count = groups_.size();
    budget_.restore(from, count);
    ranked_.clear();
    heap_.clear();
    ranked_.resize(count);
    changes_.assign(count, Change{});
    for (std::size_t group = 0; group < count && !from.has_failed(); ++group) {
        const auto rows = from.take_size();
        if (rows > node_.limit) return from.fail();
        for (std::size_t i = 0; i < rows && !from.has_failed(); ++i) {
            RankedRow row;
            if (sort_key_.is_exact()) {
                row.key.prefix = static_cast<std::uint64_t>(from.take_int());
                row.key.rest = static_cast<std::uint32_t>(from.take_count());
            } else {
                const auto bytes = from.take_text();
                row.key.prefix = SortKey::prefix_of(bytes);
                row.key.rest = heap_.put(bytes);
            }
            if (keeps_rows_) {
                const auto bytes = from.take_text();
                if (!codec_.is_valid(bytes)) return from.fail();
                row.row = heap_.put(bytes);
            }
            ranked_.insert(group, i, row);
        }
    }
}

}  // namespace tidemill::sql

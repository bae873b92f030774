#include "operators/exec/group_changes.h"

#include <algorithm>

#include <fmt/format.h>

#include "operators/exec/bound_mapping.h"

namespace tidemill::sql {

namespace {

std::vector<Type> types_of(const std::vector<ExpressionPtr>& expressions) {
    std::vector<Type> types;
    for (const auto& expression : expressions)
        types.push_back(expression->type());
    return types;
}

bool are_equal(const Column& a, std::size_t i, const Column& b, std::size_t j) {
    if (a.is_null(i) || b.is_null(j)) return a.is_null(i) && b.is_null(j);
    return a.type().storage() == Storage::Text ? a.text_at(i) == b.text_at(j)
                                               : a.int_at(i) == b.int_at(j);
}

}  // namespace

GroupChanges::GroupChanges(ExecContext& context, std::string pump, Schema input,
                           GroupChangesNode node, const Schema& output)
    : Operator(context, std::move(pump), "GroupChanges", std::move(input)),
      node_(std::move(node)),
      output_(output),
      key_count_(node_.keys.size()),
      groups_(types_of(node_.keys)),
      aggregates_(node_.aggregates),
      budget_(node_.limits),
      out_(output) {
    for (const auto key : node_.monotonic_keys)
        window_.emplace_back(node_.keys[key]->type());
}

void GroupChanges::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    batch_ = &batch;
    keys_.clear();
    arguments_.clear();
    for (const auto& key : node_.keys)
        keys_.push_back(&key->evaluate(evaluation, batch.selection));
    for (const auto& argument : node_.arguments)
        arguments_.push_back(&argument->evaluate(evaluation, batch.selection));
    const auto rows = settle(evaluation, batch.selection, settled_);
    group_of_row_.resize(std::max(group_of_row_.size(), batch.rows));
    if (node_.period_millis > 0) {
        add_by_periods(rows);
    } else {
        add_windows(rows);
        emit_changes(kNoBound);
    }
    if (rows.count > 0) last_rowtime_ = batch.rowtime->int_at(rows[rows.count - 1]);
    batch_ = nullptr;
}

// Runs of rows in which no period ends.
void GroupChanges::add_by_periods(const Selection& rows) {
    const auto period = node_.period_millis;
    for (std::size_t from = 0; from < rows.count;) {
        const auto time = batch_->rowtime->int_at(rows[from]);
        emit_due(time);
        const auto begin = time / period - (time % period < 0 ? 1 : 0);
        const auto end = (begin + 1) * period;
        std::size_t to = from + 1;
        while (to < rows.count && batch_->rowtime->int_at(rows[to]) < end)
            ++to;
        due_ = end;
        add_windows(rows.sub(from, to - from, period_));
        collect_changed();
        from = to;
    }
}

void GroupChanges::emit_due(std::int64_t now) {
    if (now < due_) return;
    emit_changes(due_);
    due_ = kEndOfTime;
}

// Runs of rows that belong to one window.
void GroupChanges::add_windows(const Selection& rows) {
    if (window_.empty()) return add(rows);
    std::size_t run_start = 0;
    for (std::size_t i = 0; i < rows.count; ++i) {
        if (!starts_window(rows[i])) continue;
        add(rows.sub(run_start, i - run_start, run_));
        run_start = i;
        forget_window(batch_->rowtime->int_at(rows[i]));
        remember_window(rows[i]);
    }
    add(rows.sub(run_start, rows.count - run_start, run_));
}

bool GroupChanges::starts_window(std::size_t row) const {
    for (std::size_t m = 0; m < window_.size(); ++m)
        if (window_[m].size() == 0 ||
            !are_equal(window_[m], 0, *keys_[node_.monotonic_keys[m]], row))
            return true;
    return false;
}

void GroupChanges::remember_window(std::size_t row) {
    for (std::size_t m = 0; m < window_.size(); ++m)
        window_[m].append_from(*keys_[node_.monotonic_keys[m]], row);
}

void GroupChanges::forget_window(std::int64_t time) {
    emit_changes(time);
    groups_.clear();
    aggregates_.clear();
    budget_.clear();
    is_shown_.clear();
    marked_.clear();
    for (auto& key : window_)
        key.clear();
}

void GroupChanges::add(const Selection& rows) {
    if (rows.count == 0) return;
    const auto now = batch_->rowtime->int_at(rows[rows.count - 1]);
    if (budget_.is_sweep_due(now)) {
        const auto first = batch_->rowtime->int_at(rows[0]);
        emit_changes(first);
        keep(budget_.unexpired(first));
    }
    const auto most = kept_rows() + rows.count * (1 + aggregates_.distinct_sets());
    budget_.allows(most) && !groups_.is_crowded() ? add_within_limits(rows) : add_one_by_one(rows);
}

void GroupChanges::add_within_limits(const Selection& rows) {
    groups_.find_or_add(keys_, rows, group_of_row_);
    if (!budget_.has_ttl()) return add_to_groups(rows);
    // A group that has expired begins anew, but not before the rows that it had in this batch
    // already are added: then they are added first.
    budget_.resize(groups_.size());
    aggregates_.resize(groups_.size());
    is_shown_.resize(groups_.size(), 0);
    std::size_t from = 0;
    for (std::size_t i = 0; i < rows.count; ++i) {
        const auto group = group_of_row_[rows[i]];
        const auto time = batch_->rowtime->int_at(rows[i]);
        if (budget_.has_expired(group, time)) {
            add_to_groups(rows.sub(from, i - from, part_));
            from = i;
            aggregates_.reset(group);
            is_shown_[group] = 0;
        }
        budget_.touch(group, time);
    }
    add_to_groups(rows.sub(from, rows.count - from, part_));
}

void GroupChanges::add_one_by_one(const Selection& rows) {
    for (std::size_t i = 0; i < rows.count; ++i) {
        const auto row = rows[i];
        one_.assign(1, static_cast<RowIndex>(row));
        const auto one = Selection::of(one_);
        groups_.find(keys_, one, group_of_row_);
        const auto group = group_of_row_[row];
        // Its coming was refused.
        if (group == GroupTable::kNoGroup && takes_back(row)) continue;
        const auto growth = (group == GroupTable::kNoGroup ? std::size_t{1} : 0) +
                            aggregates_.would_grow(arguments_, row, group);
        const bool lacks_room =
            growth > 0 && (!budget_.allows(kept_rows() + growth) || groups_.is_crowded());
        if (lacks_room && make_room(row)) {
            --i;  // who leaves may be the row's own group: look again
            continue;
        }
        if (lacks_room) {
            reject(*batch_, row, "STATE_LIMIT",
                   fmt::format("GroupChanges keeps {} rows, and state_limit is {}.", kept_rows(),
                               budget_.limits().rows));
            continue;
        }
        add_within_limits(one);
    }
}

// Whether some groups have left.
bool GroupChanges::make_room(std::size_t row) {
    const auto kept = budget_.after_making_room(batch_->rowtime->int_at(row));
    if (kept.size() == groups_.size()) return false;
    emit_changes(batch_->rowtime->int_at(row));
    keep(kept);
    return true;
}

void GroupChanges::keep(std::span<const std::uint32_t> groups) {
    if (groups.size() == groups_.size()) return;
    groups_.keep(groups);
    aggregates_.keep(groups);
    budget_.keep(groups);
    for (std::size_t i = 0; i < groups.size(); ++i)
        is_shown_[i] = is_shown_[groups[i]];
    is_shown_.resize(groups.size());
    marked_.assign(groups.size(), 0);
    round_ = 0;
}

void GroupChanges::add_to_groups(const Selection& rows) {
    if (rows.count == 0) return;
    const auto count = groups_.size();
    aggregates_.resize(count);
    is_shown_.resize(count, 0);
    marked_.resize(count, 0);
    if (!budget_.has_ttl()) {
        budget_.resize(count);
        rows.for_each([&](std::size_t row) {
            budget_.touch(group_of_row_[row], batch_->rowtime->int_at(row));
        });
    }
    node_.weight ? add_weighted(rows) : aggregates_.update(arguments_, rows, group_of_row_);
    rows.for_each([&](std::size_t row) { unsaid_.push_back(static_cast<RowIndex>(row)); });
}

// Those that come first: nothing is taken back that is not there.
void GroupChanges::add_weighted(const Selection& rows) {
    rows_of_.resize(groups_.size(), 0);
    coming_.clear();
    going_.clear();
    rows.for_each([&](std::size_t row) {
        const bool goes = takes_back(row);
        (goes ? going_ : coming_).push_back(static_cast<RowIndex>(row));
        rows_of_[group_of_row_[row]] += goes ? -1 : 1;
    });
    aggregates_.update(arguments_, Selection::of(coming_), group_of_row_);
    aggregates_.retract(arguments_, Selection::of(going_), group_of_row_);
}

// The groups of the rows that nothing was said of yet, into `changed_`: those of each round once.
void GroupChanges::collect_changed() {
    if (node_.period_millis > 0) {
        for (const auto row : unsaid_) {
            const auto group = group_of_row_[row];
            if (marked_[group] == round_ + 1) continue;
            marked_[group] = round_ + 1;
            waiting_.push_back(group);
        }
        unsaid_.clear();
        return;
    }
    // From the end, so that a group stands where its latest row does.
    for (auto row = unsaid_.rbegin(); row != unsaid_.rend(); ++row) {
        const auto group = group_of_row_[*row];
        if (marked_[group] == round_ + 1) continue;
        marked_[group] = round_ + 1;
        changed_.push_back(group);
    }
    unsaid_.clear();
    std::ranges::reverse(changed_);
}

void GroupChanges::emit_changes(std::int64_t time) {
    changed_.clear();
    collect_changed();
    if (node_.period_millis > 0) std::swap(changed_, waiting_);
    if (changed_.empty()) return;
    if (++round_ == 0xfffffffe) {
        std::ranges::fill(marked_, 0);
        round_ = 0;
    }
    for (std::size_t from = 0; from < changed_.size(); from += kBatchRows)
        emit_groups(std::span(changed_).subspan(from, std::min(kBatchRows, changed_.size() - from)),
                    time);
}

void GroupChanges::emit_groups(std::span<const std::uint32_t> groups, std::int64_t time) {
    for (const auto group : groups) {
        for (std::size_t k = 0; k < key_count_; ++k)
            out_.columns[k].append_from(groups_.keys()[k], group);
        aggregates_.append_results(group, out_, key_count_ + 1);
        out_.columns[key_count_].append_text({});
        out_.rowtime.append_int(node_.period_millis > 0 ? time : budget_.last(group));
    }
    auto out = out_.view();
    emit_having(out, groups);
    out_.clear();
}

// Groups that HAVING lets through are inserted or updated; those that it no longer does are
// deleted.
void GroupChanges::emit_having(Batch& out, std::span<const std::uint32_t> groups) {
    Evaluation evaluation(out, context().clock());
    const Column* condition = nullptr;
    if (node_.having) condition = &node_.having->evaluate(evaluation, out.selection);
    for (const auto& error : evaluation.errors)
        reject_as(output_, out, error.row, std::string(error.name), error.message);
    passed_.clear();
    auto& op = out_.columns[key_count_];
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto group = groups[i];
        if (evaluation.has_failed(i)) continue;
        const bool passes = !is_gone(group) && (condition == nullptr ||
                                                (!condition->is_null(i) && condition->bool_at(i)));
        const bool was_shown = is_shown_[group] != 0;
        is_shown_[group] = passes ? 1 : 0;
        if (!passes && !(was_shown && node_.has_op)) continue;
        if (node_.has_op) op.set_text(i, !passes ? "-D" : was_shown ? "+U" : "+I");
        passed_.push_back(static_cast<RowIndex>(i));
    }
    out.selection = Selection::of(passed_);
    emit(out);
}

void GroupChanges::on_bound(std::int64_t bound) {
    if (bound == kEndOfTime) {
        // What waits goes out now, at the time of the last row.
        emit_changes(last_rowtime_);
        return pass_bound(bound);
    }
    emit_due(bound);
    bool is_over = false;
    for (std::size_t m = 0; m < window_.size() && !is_over && window_[m].size() > 0; ++m) {
        auto& key = *node_.keys[node_.monotonic_keys[m]];
        if (!key.is_rowtime_only) continue;
        const auto value = map_bound(key, bound);
        is_over = value && !window_[m].is_null(0) && *value != window_[m].int_at(0);
    }
    if (is_over) forget_window(bound);
    if (budget_.is_sweep_due(bound)) {
        emit_changes(bound);
        keep(budget_.unexpired(bound));
    }
    pass_bound(bound);
}

void GroupChanges::save(StateWriter& to) const {
    for (const auto& key : window_)
        to.put_column(key);
    groups_.snapshot(to);
    aggregates_.snapshot(to);
    budget_.snapshot(to);
    for (const auto is_shown : is_shown_)
        to.put_bool(is_shown != 0);
    if (node_.weight)
        for (const auto count : rows_of_)
            to.put_int(count);
    to.put_int(last_rowtime_);
    to.put_int(due_);
    to.put_count(waiting_.size());
    for (const auto group : waiting_)
        to.put_count(group);
}

void GroupChanges::load(StateReader& from) {
    for (auto& key : window_)
        from.take_column(key);
    groups_.restore(from);
    const auto count = groups_.size();
    aggregates_.restore(from, count);
    budget_.restore(from, count);
    is_shown_.assign(count, 0);
    for (auto& is_shown : is_shown_)
        is_shown = from.take_bool() ? 1 : 0;
    if (node_.weight) {
        rows_of_.assign(count, 0);
        for (auto& rows : rows_of_)
            rows = from.take_int();
    }
    marked_.assign(count, 0);
    round_ = 0;
    last_rowtime_ = from.take_int();
    due_ = from.take_int();
    waiting_.clear();
    for (auto left = from.take_size(); left > 0 && !from.has_failed(); --left) {
        const auto group = from.take_count();
        if (group >= count || marked_[group] != 0) return from.fail();
        marked_[group] = 1;
        waiting_.push_back(static_cast<std::uint32_t>(group));
    }
}

}  // namespace tidemill::sql

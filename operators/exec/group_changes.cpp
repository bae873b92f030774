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
    if (window_.empty()) {
        add(rows);
    } else {
        // Runs of rows that belong to one window.
        std::size_t run_start = 0;
        for (std::size_t i = 0; i < rows.count; ++i) {
            if (!starts_window(rows[i])) continue;
            add(rows.sub(run_start, i - run_start, run_));
            run_start = i;
            forget_window();
            remember_window(rows[i]);
        }
        add(rows.sub(run_start, rows.count - run_start, run_));
    }
    emit_changes();
    batch_ = nullptr;
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

void GroupChanges::forget_window() {
    emit_changes();
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
        emit_changes();
        keep(budget_.unexpired(batch_->rowtime->int_at(rows[0])));
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
        const auto growth = (group == GroupTable::kNoGroup ? std::size_t{1} : 0) +
                            aggregates_.would_grow(arguments_, row, group);
        if (growth > 0 && !make_room(row, growth)) {
            reject(*batch_, row, "STATE_LIMIT",
                   fmt::format("GroupChanges keeps {} rows, and state_limit is {}.", kept_rows(),
                               budget_.limits().rows));
            continue;
        }
        add_within_limits(one);
    }
}

// Whether so many more rows may be kept, now.
bool GroupChanges::make_room(std::size_t row, std::size_t growth) {
    while (!budget_.allows(kept_rows() + growth) || groups_.is_crowded()) {
        const auto kept = budget_.after_making_room(batch_->rowtime->int_at(row));
        if (kept.size() == groups_.size()) return false;
        emit_changes();
        keep(kept);
    }
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
    aggregates_.update(arguments_, rows, group_of_row_);
    rows.for_each([&](std::size_t row) { unsaid_.push_back(static_cast<RowIndex>(row)); });
}

void GroupChanges::emit_changes() {
    if (unsaid_.empty()) return;
    if (++round_ == 0) {
        std::ranges::fill(marked_, 0);
        round_ = 1;
    }
    // From the end, so that a group stands where its latest row does.
    changed_.clear();
    for (auto row = unsaid_.rbegin(); row != unsaid_.rend(); ++row) {
        const auto group = group_of_row_[*row];
        if (marked_[group] == round_) continue;
        marked_[group] = round_;
        changed_.push_back(group);
    }
    unsaid_.clear();
    for (auto group = changed_.rbegin(); group != changed_.rend(); ++group) {
        for (std::size_t k = 0; k < key_count_; ++k)
            out_.columns[k].append_from(groups_.keys()[k], *group);
        aggregates_.append_results(*group, out_, key_count_ + 1);
        out_.rowtime.append_int(budget_.last(*group));
    }
    auto& op = out_.columns[key_count_];
    for (std::size_t i = 0; i < changed_.size(); ++i)
        op.append_text({});
    auto out = out_.view();
    emit_having(out);
    out_.clear();
}

// Groups that HAVING lets through are inserted or updated; those that it no longer does are
// deleted.
void GroupChanges::emit_having(Batch& out) {
    Evaluation evaluation(out, context().clock());
    const Column* condition = nullptr;
    if (node_.having) condition = &node_.having->evaluate(evaluation, out.selection);
    for (const auto& error : evaluation.errors)
        reject_as(output_, out, error.row, std::string(error.name), error.message);
    passed_.clear();
    auto& op = out_.columns[key_count_];
    for (std::size_t i = 0; i < changed_.size(); ++i) {
        const auto group = changed_[changed_.size() - 1 - i];
        if (evaluation.has_failed(i)) continue;
        const bool passes =
            condition == nullptr || (!condition->is_null(i) && condition->bool_at(i));
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
    if (bound != kEndOfTime) {
        bool is_over = false;
        for (std::size_t m = 0; m < window_.size() && !is_over && window_[m].size() > 0; ++m) {
            auto& key = *node_.keys[node_.monotonic_keys[m]];
            if (!key.is_rowtime_only) continue;
            const auto value = map_bound(key, bound);
            is_over = value && !window_[m].is_null(0) && *value != window_[m].int_at(0);
        }
        if (is_over) forget_window();
        if (budget_.is_sweep_due(bound)) keep(budget_.unexpired(bound));
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
    marked_.assign(count, 0);
}

}  // namespace tidemill::sql

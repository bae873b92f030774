#include "operators/exec/tumble.h"

#include <algorithm>

#include "operators/exec/bound_mapping.h"
#include "operators/vector/time_text.h"

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

Tumble::Tumble(ExecContext& context, std::string pump, Schema input, TumbleNode node,
               const Schema& output)
    : Operator(context, std::move(pump), "Tumble", std::move(input)),
      node_(std::move(node)),
      groups_(types_of(node_.keys)),
      aggregates_(node_.aggregates),
      out_(output) {
    for (const auto key : node_.monotonic_keys)
        window_.emplace_back(node_.keys[key]->type());
}

void Tumble::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    std::vector<const Column*> keys, arguments;
    for (const auto& key : node_.keys)
        keys.push_back(&key->evaluate(evaluation, batch.selection));
    for (const auto& argument : node_.arguments)
        arguments.push_back(&argument->evaluate(evaluation, batch.selection));
    const auto rows = settle(evaluation, batch.selection, settled_);
    // Runs of rows that belong to one window.
    std::size_t run_start = 0;
    for (std::size_t i = 0; i < rows.count; ++i) {
        const auto row = rows[i];
        if (starts_window(keys, row)) {
            add_run(keys, arguments, rows.sub(run_start, i - run_start, scratch_));
            run_start = i;
            close(batch.rowtime->int_at(row));
            remember_window(keys, row);
        }
    }
    add_run(keys, arguments, rows.sub(run_start, rows.count - run_start, scratch_));
    if (rows.count > 0) last_rowtime_ = batch.rowtime->int_at(rows[rows.count - 1]);
}

bool Tumble::starts_window(const std::vector<const Column*>& keys, std::size_t row) const {
    if (window_[0].size() == 0) return true;
    for (std::size_t m = 0; m < window_.size(); ++m)
        if (!are_equal(window_[m], 0, *keys[node_.monotonic_keys[m]], row)) return true;
    return false;
}

void Tumble::remember_window(const std::vector<const Column*>& keys, std::size_t row) {
    for (std::size_t m = 0; m < window_.size(); ++m) {
        window_[m].clear();
        window_[m].append_from(*keys[node_.monotonic_keys[m]], row);
    }
}

void Tumble::add_run(const std::vector<const Column*>& keys,
                     const std::vector<const Column*>& arguments, const Selection& run) {
    if (run.count == 0) return;
    groups_.find_or_add(keys, run, group_of_row_);
    aggregates_.resize(groups_.size());
    aggregates_.update(arguments, run, group_of_row_);
}

void Tumble::on_bound(std::int64_t bound) {
    if (bound == kEndOfTime) {
        close(last_rowtime_);
        return pass_bound(bound);
    }
    bool is_over = false;
    for (std::size_t m = 0; m < window_.size() && !is_over && window_[m].size() > 0; ++m) {
        auto& key = *node_.keys[node_.monotonic_keys[m]];
        if (!key.is_rowtime_only) continue;
        const auto value = map_bound(key, bound);
        is_over = value && !window_[m].is_null(0) && *value != window_[m].int_at(0);
    }
    if (is_over) close(bound);
    // Results of the open window will bear its end, or at least the time of what closes it: no
    // later row is below `bound`.
    pass_bound(bound);
}

std::int64_t Tumble::window_end(std::int64_t closed_by) const {
    std::optional<std::int64_t> end;
    for (const auto& known : node_.ends) {
        const auto& key = groups_.keys()[known.key];
        if (key.size() == 0 || key.is_null(0)) continue;
        const auto start = key.int_at(0);
        const auto its_end = known.unit ? next_unit(start, *known.unit) : start + known.step_millis;
        end = std::min(end.value_or(its_end), its_end);
    }
    return end.value_or(closed_by);
}

void Tumble::close(std::int64_t closed_by) {
    if (groups_.size() == 0) return;
    const auto rowtime = window_end(closed_by);
    const auto key_count = node_.keys.size();
    for (std::size_t group = 0; group < groups_.size(); ++group) {
        for (std::size_t k = 0; k < key_count; ++k)
            out_.columns[k].append_from(groups_.keys()[k], group);
        aggregates_.append_results(group, out_, key_count);
        out_.rowtime.append_int(rowtime);
        if (out_.is_full() || group + 1 == groups_.size()) {
            emit(out_.view());
            out_.clear();
        }
    }
    groups_.clear();
    aggregates_.clear();
    for (auto& key : window_)
        key.clear();
}

void Tumble::save(StateWriter& to) const {
    to.put_int(last_rowtime_);
    for (const auto& key : window_)
        to.put_column(key);
    groups_.snapshot(to);
    aggregates_.snapshot(to);
}

void Tumble::load(StateReader& from) {
    last_rowtime_ = from.take_int();
    for (auto& key : window_)
        from.take_column(key);
    groups_.restore(from);
    aggregates_.restore(from, groups_.size());
}

}  // namespace tidemill::sql

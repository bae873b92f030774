#include "operators/exec/distinct.h"

#include <fmt/format.h>

namespace tidemill::sql {

namespace {

std::vector<Type> types_of(const Schema& schema, const std::vector<std::size_t>& columns) {
    std::vector<Type> types;
    for (const auto column : columns)
        types.push_back(schema[column].type);
    return types;
}

bool are_equal(const Column& a, std::size_t i, const Column& b, std::size_t j) {
    if (a.is_null(i) || b.is_null(j)) return a.is_null(i) && b.is_null(j);
    return a.type().storage() == Storage::Text ? a.text_at(i) == b.text_at(j)
                                               : a.int_at(i) == b.int_at(j);
}

}  // namespace

Distinct::Distinct(ExecContext& context, std::string pump, Schema input, DistinctNode node)
    : Operator(context, std::move(pump), "Distinct", std::move(input)),
      node_(std::move(node)),
      seen_(types_of(this->input(), node_.keys)),
      budget_(node_.limits) {
    for (const auto column : node_.monotonic)
        window_.emplace_back(this->input()[column].type);
}

bool Distinct::starts_window(const Batch& batch, std::size_t row) const {
    for (std::size_t m = 0; m < window_.size(); ++m)
        if (window_[m].size() == 0 ||
            !are_equal(window_[m], 0, *batch.columns[node_.monotonic[m]], row))
            return true;
    return false;
}

void Distinct::on_batch(const Batch& batch) {
    keys_.clear();
    for (const auto column : node_.keys)
        keys_.push_back(batch.columns[column]);
    first_.clear();
    const auto& rows = batch.selection;
    std::size_t run_start = 0;
    for (std::size_t i = 0; i < rows.count; ++i) {
        if (!starts_window(batch, rows[i])) continue;
        add_run(batch, rows.sub(run_start, i - run_start, run_));
        run_start = i;
        seen_.clear();
        budget_.clear();
        for (std::size_t m = 0; m < window_.size(); ++m) {
            window_[m].clear();
            window_[m].append_from(*batch.columns[node_.monotonic[m]], rows[i]);
        }
    }
    add_run(batch, rows.sub(run_start, rows.count - run_start, run_));
    Batch out = batch;
    out.selection = Selection::of(first_);
    emit(out);
}

void Distinct::add_run(const Batch& batch, const Selection& run) {
    if (run.count == 0) return;
    if (budget_.is_sweep_due(batch.rowtime->int_at(run[0])))
        keep(budget_.unexpired(batch.rowtime->int_at(run[0])));
    if (budget_.allows(seen_.size() + run.count) && !seen_.is_crowded())
        return add_within_limits(batch, run);
    for (std::size_t i = 0; i < run.count; ++i) {
        one_.assign(1, static_cast<RowIndex>(run[i]));
        seen_.find(keys_, Selection::of(one_), group_of_row_);
        if (group_of_row_[run[i]] == GroupTable::kNoGroup &&
            !make_room(batch.rowtime->int_at(run[i])))
            reject(batch, run[i], "STATE_LIMIT",
                   fmt::format("Distinct keeps {} rows, and state_limit is {}.", seen_.size(),
                               node_.limits.rows));
        else
            add_within_limits(batch, Selection::of(one_));
    }
}

void Distinct::add_within_limits(const Batch& batch, const Selection& run) {
    seen_.find_or_add(keys_, run, group_of_row_);
    budget_.resize(seen_.size());
    run.for_each([&](std::size_t row) {
        const auto value = group_of_row_[row];
        const auto time = batch.rowtime->int_at(row);
        if (budget_.last(value) == StateBudget::kNever || budget_.has_expired(value, time))
            first_.push_back(static_cast<RowIndex>(row));
        budget_.touch(value, time);
    });
}

// Whether one more value may be kept, now.
bool Distinct::make_room(std::int64_t now) {
    while (!budget_.allows(seen_.size() + 1) || seen_.is_crowded()) {
        const auto kept = budget_.after_making_room(now);
        if (kept.size() == seen_.size()) return false;
        keep(kept);
    }
    return true;
}

void Distinct::keep(std::span<const std::uint32_t> values) {
    if (values.size() == seen_.size()) return;
    seen_.keep(values);
    budget_.keep(values);
}

void Distinct::on_bound(std::int64_t bound) {
    if (bound != kEndOfTime && budget_.is_sweep_due(bound)) keep(budget_.unexpired(bound));
    pass_bound(bound);
}

void Distinct::save(StateWriter& to) const {
    for (const auto& column : window_)
        to.put_column(column);
    seen_.snapshot(to);
    budget_.snapshot(to);
}

void Distinct::load(StateReader& from) {
    for (auto& column : window_)
        from.take_column(column);
    seen_.restore(from);
    budget_.restore(from, seen_.size());
}

}  // namespace tidemill::sql

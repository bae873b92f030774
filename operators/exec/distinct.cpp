#include "operators/exec/distinct.h"

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
      seen_(types_of(this->input(), node_.keys)) {
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
        add_run(rows.sub(run_start, i - run_start, run_));
        run_start = i;
        seen_.clear();
        for (std::size_t m = 0; m < window_.size(); ++m) {
            window_[m].clear();
            window_[m].append_from(*batch.columns[node_.monotonic[m]], rows[i]);
        }
    }
    add_run(rows.sub(run_start, rows.count - run_start, run_));
    Batch out = batch;
    out.selection = Selection::of(first_);
    emit(out);
}

void Distinct::add_run(const Selection& run) {
    if (run.count == 0) return;
    auto next = seen_.size();
    seen_.find_or_add(keys_, run, group_of_row_);
    run.for_each([&](std::size_t row) {
        if (group_of_row_[row] != next) return;
        first_.push_back(static_cast<RowIndex>(row));
        ++next;
    });
}

void Distinct::save(StateWriter& to) const {
    for (const auto& column : window_)
        to.put_column(column);
    seen_.snapshot(to);
}

void Distinct::load(StateReader& from) {
    for (auto& column : window_)
        from.take_column(column);
    seen_.restore(from);
}

}  // namespace tidemill::sql

#include "operators/exec/slide.h"

namespace tidemill::sql {

namespace {

std::vector<Type> types_of(const std::vector<ExpressionPtr>& expressions) {
    std::vector<Type> types;
    for (const auto& expression : expressions)
        types.push_back(expression->type());
    return types;
}

}  // namespace

Slide::Slide(ExecContext& context, std::string pump, Schema input, SlideNode node)
    : Operator(context, std::move(pump), "Slide", std::move(input)),
      node_(std::move(node)),
      partitions_(types_of(node_.keys)) {
    for (const auto& call : node_.aggregates) {
        results_.emplace_back(call.result);
        dense_.emplace_back(call.result);
    }
}

void Slide::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    std::vector<const Column*> keys, arguments;
    for (const auto& key : node_.keys)
        keys.push_back(&key->evaluate(evaluation, batch.selection));
    for (const auto& argument : node_.arguments)
        arguments.push_back(&argument->evaluate(evaluation, batch.selection));
    const auto rows = settle(evaluation, batch.selection, settled_);
    partitions_.find_or_add(keys, rows, partition_of_row_);
    while (windows_.size() < partitions_.size())
        windows_.emplace_back(node_.aggregates, node_.arguments.size());
    for (auto& column : dense_)
        column.clear();
    rows.for_each([&](std::size_t row) {
        auto& window = windows_[partition_of_row_[row]];
        const auto time = batch.rowtime->int_at(row);
        const auto horizon = node_.is_rows ? kNoBound : time - node_.preceding;
        const auto max_rows =
            node_.is_rows ? static_cast<std::uint64_t>(node_.preceding) + 1 : UINT64_MAX;
        window.add(arguments, row, time, horizon, max_rows);
        window.append_results(dense_);
    });
    // Results were made in the order of the selected rows; they go to the rows' own places.
    Batch out = batch;
    out.selection = rows;
    for (std::size_t i = 0; i < results_.size(); ++i) {
        results_[i].reset(batch.rows);
        for (std::size_t k = 0; k < rows.count; ++k)
            results_[i].set_from(rows[k], dense_[i], k);
        out.columns.push_back(&results_[i]);
    }
    emit(out);
}

void Slide::save(StateWriter& to) const {
    partitions_.snapshot(to);
    for (const auto& window : windows_)
        window.save(to);
}

void Slide::load(StateReader& from) {
    partitions_.restore(from);
    windows_.clear();
    for (std::size_t i = 0; i < partitions_.size() && !from.has_failed(); ++i) {
        windows_.emplace_back(node_.aggregates, node_.arguments.size());
        windows_.back().load(from);
    }
}

}  // namespace tidemill::sql

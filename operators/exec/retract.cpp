#include "operators/exec/retract.h"

#include <fmt/format.h>

namespace tidemill::sql {

namespace {

std::vector<Type> types_of(const std::vector<ExpressionPtr>& expressions) {
    std::vector<Type> types;
    for (const auto& expression : expressions)
        types.push_back(expression->type());
    return types;
}

std::vector<Type> types_of(const Schema& schema, const std::vector<std::size_t>& columns) {
    std::vector<Type> types;
    for (const auto column : columns)
        types.push_back(schema[column].type);
    return types;
}

}  // namespace

Retract::Retract(ExecContext& context, std::string pump, Schema input, RetractNode node,
                 const Schema& output)
    : Operator(context, std::move(pump), "Retract", std::move(input)),
      node_(std::move(node)),
      codec_(types_of(node_.expressions)),
      keys_(types_of(this->input(), node_.row_key)),
      out_(output) {
    for (std::size_t i = 0; i < node_.expressions.size(); ++i)
        out_columns_.push_back(&out_.columns[i]);
}

void Retract::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    computed_.clear();
    key_columns_.clear();
    const Column* passes = nullptr;
    if (node_.predicate) passes = &node_.predicate->evaluate(evaluation, batch.selection);
    for (const auto& expression : node_.expressions)
        computed_.push_back(&expression->evaluate(evaluation, batch.selection));
    for (const auto column : node_.row_key)
        key_columns_.push_back(batch.columns[column]);
    const auto rows = settle(evaluation, batch.selection, settled_);
    keys_.find_or_add(key_columns_, rows, key_of_row_);
    kept_.resize(keys_.size(), RowHeap::kNone);
    rows.for_each([&](std::size_t row) {
        change(batch, row,
               batch.columns[node_.input_op]->text_at(row) != "-D" &&
                   (passes == nullptr || (!passes->is_null(row) && passes->bool_at(row))));
    });
    flush();
}

void Retract::change(const Batch& batch, std::size_t row, bool stays) {
    auto& kept = kept_[key_of_row_[row]];
    const auto time = batch.rowtime->int_at(row);
    if (stays) codec_.encode(computed_, row, bytes_);
    if (kept != RowHeap::kNone) {
        if (stays && heap_.get(kept) == bytes_) return;
        codec_.decode(heap_.get(kept), out_columns_);
        out_.columns.back().append_int(-1);
        out_.rowtime.append_int(time);
        heap_.drop(kept);
        kept = RowHeap::kNone;
    }
    if (stays && heap_.size() >= node_.limits.rows) {
        reject(batch, row, "STATE_LIMIT",
               fmt::format("Retract keeps {} rows, and state_limit is {}.", heap_.size(),
                           node_.limits.rows));
    } else if (stays) {
        kept = heap_.put(bytes_);
        for (std::size_t i = 0; i < computed_.size(); ++i)
            out_columns_[i]->append_from(*computed_[i], row);
        out_.columns.back().append_int(1);
        out_.rowtime.append_int(time);
    }
    // What goes and what comes for it stay in one batch.
    if (out_.size() + 2 > kBatchRows) flush();
}

void Retract::flush() {
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
}

void Retract::save(StateWriter& to) const {
    keys_.snapshot(to);
    for (const auto kept : kept_) {
        to.put_bool(kept != RowHeap::kNone);
        if (kept != RowHeap::kNone) to.put_text(heap_.get(kept));
    }
}

void Retract::load(StateReader& from) {
    keys_.restore(from);
    heap_.clear();
    kept_.assign(keys_.size(), RowHeap::kNone);
    for (auto& kept : kept_) {
        if (!from.take_bool()) continue;
        const auto bytes = from.take_text();
        if (from.has_failed() || !codec_.is_valid(bytes)) return from.fail();
        kept = heap_.put(bytes);
    }
}

}  // namespace tidemill::sql

#include "operators/exec/operator.h"

#include "operators/connect/row_encoder.h"

namespace tidemill::sql {

void Operator::snapshot(StateWriter& to) const {
    to.put_int(bound_);
    for (const auto count : {rows_in_, rows_out_, batches_in_, rows_rejected_})
        to.put_count(count);
    save(to);
}

void Operator::restore(StateReader& from) {
    bound_ = from.take_int();
    for (auto* count : {&rows_in_, &rows_out_, &batches_in_, &rows_rejected_})
        *count = from.take_count();
    load(from);
}

std::size_t Operator::snapshot_bytes() const {
    StateWriter writer;
    save(writer);
    return writer.take().size();
}

Selection Operator::settle(const Evaluation& evaluation, const Selection& rows,
                           std::vector<RowIndex>& scratch) {
    for (const auto& error : evaluation.errors)
        reject(evaluation.batch, error.row, std::string(error.name), error.message);
    return evaluation.without_failed(rows, scratch);
}

void Operator::reject_as(const Schema& shape, const Batch& batch, std::size_t row, std::string name,
                         std::string message) {
    ++rows_rejected_;
    RejectedRow rejected;
    rejected.name = std::move(name);
    rejected.message = std::move(message);
    rejected.data_rowtime = batch.rowtime->int_at(row);
    append_csv_row(rejected.data, shape, batch, row);
    rejected.pump = pump_;
    context_.rejected.push_back(std::move(rejected));
}

}  // namespace tidemill::sql

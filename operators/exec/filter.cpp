#include "operators/exec/filter.h"

namespace tidemill::sql {

void Filter::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    const auto& truth = predicate_->evaluate(evaluation, batch.selection);
    const auto rows = settle(evaluation, batch.selection, settled_);
    passing_.resize(rows.count);
    std::size_t count = 0;
    // Every row is written, only passing ones are kept: no branch to mispredict.
    if (truth.has_nulls()) {
        rows.for_each([&](std::size_t row) {
            passing_[count] = static_cast<RowIndex>(row);
            count += !truth.is_null(row) && truth.bool_at(row) ? 1 : 0;
        });
    } else {
        rows.for_each([&](std::size_t row) {
            passing_[count] = static_cast<RowIndex>(row);
            count += truth.bool_at(row) ? 1 : 0;
        });
    }
    passing_.resize(count);
    Batch out = batch;
    out.selection = Selection::of(passing_);
    emit(out);
}

}  // namespace tidemill::sql

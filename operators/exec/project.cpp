#include "operators/exec/project.h"

#include "operators/exec/bound_mapping.h"

namespace tidemill::sql {

void Project::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    Batch out;
    out.rowtime = batch.rowtime;
    out.rows = batch.rows;
    out.columns.reserve(node_.expressions.size());
    for (const auto& expression : node_.expressions)
        out.columns.push_back(&expression->evaluate(evaluation, batch.selection));
    if (node_.rowtime) out.rowtime = &node_.rowtime->evaluate(evaluation, batch.selection);
    out.selection = settle(evaluation, batch.selection, settled_);
    if (node_.rowtime) out.selection = retime(batch, *out.rowtime, out.selection);
    emit(out);
}

Selection Project::retime(const Batch& batch, const Column& rowtime, const Selection& rows) {
    ascending_.clear();
    rows.for_each([&](std::size_t row) {
        if (rowtime.is_null(row))
            reject(batch, row, "NULL_ROWTIME", "The expression for ROWTIME is null.");
        else if (rowtime.int_at(row) < last_rowtime_)
            reject(batch, row, "OUT_OF_ORDER", "ROWTIME goes backwards.");
        else {
            last_rowtime_ = rowtime.int_at(row);
            ascending_.push_back(static_cast<RowIndex>(row));
        }
    });
    return Selection::of(ascending_);
}

void Project::on_bound(std::int64_t bound) {
    if (!node_.rowtime || bound == kEndOfTime) return pass_bound(bound);
    // A new ROWTIME that is a monotonic expression of the old one says how bounds move; otherwise
    // only rows do.
    const bool is_mapped =
        node_.rowtime->is_rowtime_only && node_.rowtime->monotonicity == Monotonicity::Ascending;
    if (const auto mapped = is_mapped ? map_bound(*node_.rowtime, bound) : std::nullopt)
        pass_bound(std::max(*mapped, last_rowtime_));
    else if (last_rowtime_ != kNoBound)
        pass_bound(last_rowtime_);
}

}  // namespace tidemill::sql

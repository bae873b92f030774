#include "operators/exec/bound_mapping.h"

namespace tidemill::sql {

std::optional<std::int64_t> map_bound(Expression& expression, std::int64_t bound) {
    RowBatch one;
    one.rowtime.append_int(bound);
    const auto view = one.view();
    Evaluation evaluation(view, bound);
    const auto& value = expression.evaluate(evaluation, view.selection);
    if (!evaluation.errors.empty() || value.is_null(0) ||
        value.type().storage() != Storage::Integer)
        return std::nullopt;
    return value.int_at(0);
}

}  // namespace tidemill::sql

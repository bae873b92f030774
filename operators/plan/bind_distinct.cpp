#include "engine/base/result.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

// Over the columns of the select list. A ROWTIME among them does not make rows different.
SqlResult<PlanPtr> SelectBinder::bind_distinct(const ast::Select& select, PlanPtr plan) {
    if (plan->is_changelog)
        return failure(select.span, "SELECT DISTINCT over rows that change is not supported.");
    DistinctNode node;
    for (std::size_t i = 0; i < plan->schema.size(); ++i) {
        if (plan->schema[i].is_hidden || plan->schema[i].name == kRowtime) continue;
        const auto monotonicity = plan->monotonicity[i];
        if (monotonicity == Monotonicity::Ascending || monotonicity == Monotonicity::Rowtime ||
            monotonicity == Monotonicity::Descending)
            node.monotonic.push_back(i);
        node.keys.push_back(i);
        node.names.push_back(print_name(plan->schema[i].name));
    }
    if (node.monotonic.empty() && !emits_changes())
        return failure(
            Span::join(select.items.front().expr->span, select.items.back().expr->span),
            "SELECT DISTINCT over a stream needs a monotonic expression beside ROWTIME, so that "
            "what was seen can be forgotten, such as FLOOR(ROWTIME TO DAY), STEP(ROWTIME BY "
            "INTERVAL '1' MINUTE) or MONOTONIC(column); or EMIT CHANGES at the end of the query.");
    ASSIGN(node.limits, read_state_limits(text_, tail_->options));
    auto distinct = make_node(std::move(plan));
    distinct->body = std::move(node);
    return distinct;
}

}  // namespace tidemill::sql

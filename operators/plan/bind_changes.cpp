#include <algorithm>

#include "engine/base/result.h"
#include "operators/expr/aggregate.h"
#include "operators/plan/bind_select.h"

namespace tidemill::sql {

// Rows of a changelog replace each other, so a query over one may rename and compute columns, but
// nothing that looks at several rows or drops some.
SqlResult<void> SelectBinder::check_changelog(const ast::Select& select, const PlanNode& from,
                                              bool where_is_rank) const {
    if (!from.is_changelog) return {};
    if (select.where && !where_is_rank)
        return failure(select.where->span,
                       "WHERE over rows that change would leave old ones standing; use HAVING in "
                       "the query with GROUP BY, or WHERE before it groups or ranks.");
    if (select.is_distinct)
        return failure(select.span, "SELECT DISTINCT over rows that change is not supported.");
    const auto looks_further = [](const ast::Expr& expr) {
        bool found = false;
        walk(expr, [&](const ast::Expr& node) {
            found |= ((node.over || node.over_name) && !is_row_number(node)) ||
                     (node.kind == ast::ExprKind::Call && aggregate_kind(node.op));
            return !found;
        });
        return found;
    };
    if (!select.group_by.empty() || select.having || select.stagger_millis ||
        std::ranges::any_of(select.items,
                            [&](const auto& item) { return looks_further(*item.expr); }))
        return failure(select.from.span,
                       "An aggregate over rows that change would count each change of a row. "
                       "Aggregate the rows below instead.");
    return {};
}

}  // namespace tidemill::sql

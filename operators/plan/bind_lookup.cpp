#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/printer.h"

// Joins of a stream with a reference table.
namespace tidemill::sql {

using ast::JoinKind;

SqlResult<SelectBinder::Relation> SelectBinder::bind_lookup(const ast::FromItem& from,
                                                            Relation left, Relation right,
                                                            Scope scope, JoinCondition condition) {
    const bool is_table_first = left.table.has_value();
    auto& stream = is_table_first ? right : left;
    const auto& table = is_table_first ? left : right;
    const auto& name = catalog_.tables[*table.table].name;
    const bool keeps_table = from.join == JoinKind::Full ||
                             (from.join == JoinKind::Left && is_table_first) ||
                             (from.join == JoinKind::Right && !is_table_first);
    if (keeps_table)
        return failure(from.span,
                       fmt::format("Rows of the reference table {} cannot be kept without a match: "
                                   "the stream has no end, so there is always one to come.",
                                   print_name(name)));
    LookupNode node;
    node.table = *table.table;
    node.name = name;
    node.is_table_first = is_table_first;
    node.keeps_stream = from.join == JoinKind::Left || from.join == JoinKind::Right;
    node.stream_keys = std::move(is_table_first ? condition.right_keys : condition.left_keys);
    node.table_keys = std::move(is_table_first ? condition.left_keys : condition.right_keys);
    ASSIGN(node.residual, bind_residual(condition, scope));
    Relation joined;
    joined.has_window = stream.has_window;
    joined.has_rows_window = stream.has_rows_window;
    joined.window = stream.window;
    joined.following = stream.following;
    const auto offset = is_table_first ? left.scope.columns.size() : 0;
    for (auto reach : stream.reach)
        joined.reach.push_back({reach.rowtime + offset, reach.millis});
    auto plan = std::make_unique<PlanNode>();
    for (const auto& column : scope.columns)
        plan->schema.fields.push_back(
            {column.name, column.type, column.is_nullable, column.is_hidden});
    plan->monotonicity.assign(plan->schema.size(), Monotonicity::None);
    plan->body = std::move(node);
    plan->is_changelog = stream.plan->is_changelog;
    plan->inputs.push_back(std::move(stream.plan));
    joined.plan = std::move(plan);
    joined.scope = std::move(scope);
    return joined;
}

}  // namespace tidemill::sql

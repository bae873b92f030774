#include <algorithm>

#include "engine/base/result.h"
#include "operators/expr/aggregate.h"
#include "operators/plan/bind_select.h"

namespace tidemill::sql {

// Rows of a changelog replace each other, so a query over one may rename and compute columns and
// leave out whole keys, but nothing that looks at several rows or drops some states of a row.
SqlResult<void> SelectBinder::check_changelog(
    const ast::Select& select, const Relation& relation,
    const std::vector<const ast::Expr*>& conditions) const {
    const auto& from = *relation.plan;
    if (!from.is_changelog) return {};
    const auto is_fixed = [&](const ast::Expr& expr) {
        bool is_fixed = true;
        walk(expr, [&](const ast::Expr& node) {
            if (node.kind != ast::ExprKind::Column) return true;
            const auto column = relation.scope.find(node.path);
            // A name that is not there is the binder's to refuse.
            is_fixed &=
                column ? std::ranges::find(from.fixed_columns, *column) != from.fixed_columns.end()
                       : !relation.scope.is_rowtime(node.path);
            return true;
        });
        return is_fixed;
    };
    for (const auto* condition : conditions)
        if (!is_fixed(*condition))
            return failure(
                condition->span,
                condition == select.where.get()
                    ? "WHERE over rows that change takes GROUP BY columns alone: on others it "
                      "would "
                      "leave old rows standing. Use HAVING in the query with GROUP BY."
                    : "Beside the number WHERE takes PARTITION BY columns alone here; other "
                      "conditions belong into the subquery, before rows are numbered.");
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

std::vector<std::size_t> columns_through(const ProjectNode& project,
                                         const std::vector<std::size_t>& columns) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < project.expressions.size(); ++i) {
        const auto* reference = dynamic_cast<const ColumnReference*>(project.expressions[i].get());
        if (reference != nullptr && std::ranges::find(columns, reference->index()) != columns.end())
            places.push_back(i);
    }
    return places;
}

std::optional<std::vector<std::size_t>> key_through(
    const ProjectNode& project, const std::optional<std::vector<std::size_t>>& key) {
    if (!key) return std::nullopt;
    std::vector<std::size_t> places;
    for (const auto column : *key) {
        const auto found = std::ranges::find_if(project.expressions, [&](const auto& expression) {
            const auto* reference = dynamic_cast<const ColumnReference*>(expression.get());
            return reference != nullptr && reference->index() == column;
        });
        if (found == project.expressions.end()) return std::nullopt;
        places.push_back(static_cast<std::size_t>(found - project.expressions.begin()));
    }
    return places;
}

namespace {

// Has a changelog say what its rows do: the column of its ROW_OP, which projections on the way hand
// on behind their own columns.
std::optional<std::size_t> expose_row_op(PlanNode& plan) {
    if (auto* groups = std::get_if<GroupChangesNode>(&plan.body)) {
        groups->has_op = true;
        return groups->keys.size();
    }
    auto* project = std::get_if<ProjectNode>(&plan.body);
    if (project == nullptr || project->rowtime) return std::nullopt;
    const auto below = expose_row_op(*plan.inputs[0]);
    if (!below) return std::nullopt;
    project->expressions.push_back(
        std::make_unique<ColumnReference>(Type::varchar(2), *below, std::string(kRowOp)));
    plan.schema.fields.push_back({std::string(kRowOp), Type::varchar(2), false, true});
    plan.monotonicity.push_back(Monotonicity::None);
    return project->expressions.size() - 1;
}

}  // namespace

// ROW_NUMBER over a changelog needs to know which rows replace each other, and which go.
SqlResult<void> SelectBinder::rank_changes(const ast::Select& select, PlanNode& from,
                                           TopNNode& node) const {
    if (!from.changelog_key)
        return failure(select.from.span,
                       "ROW_NUMBER over rows that change needs the columns that identify them: "
                       "select those of GROUP BY as they are.");
    const auto op = expose_row_op(from);
    if (!op)
        return failure(select.from.span,
                       "ROW_NUMBER over rows that change takes them from GROUP BY ... EMIT CHANGES "
                       "alone.");
    node.is_over_changes = true;
    node.row_key = *from.changelog_key;
    node.input_op = *op;
    return {};
}

}  // namespace tidemill::sql

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/aggregate.h"
#include "operators/plan/bind_select.h"

namespace tidemill::sql {

// Rows of a changelog replace each other, so a query over one may rename and compute columns and
// leave out whole keys, but nothing that looks at several rows or drops some states of a row.
SqlResult<void> SelectBinder::check_changelog(const ast::Select& select, const Relation& relation,
                                              const std::vector<const ast::Expr*>& conditions,
                                              bool is_grouped) const {
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
    const bool is_grouped_again = is_grouped && emits_changes();
    for (const auto* condition : conditions) {
        if (is_grouped_again || is_fixed(*condition)) continue;
        return failure(
            condition->span,
            condition == select.where.get()
                ? "WHERE over rows that change takes GROUP BY columns alone: on others it would "
                  "leave old rows standing. Use HAVING in the query with GROUP BY."
                : "Beside the number WHERE takes PARTITION BY columns alone here; other "
                  "conditions belong into the subquery, before rows are numbered.");
    }
    if (select.is_distinct)
        return failure(select.span, "SELECT DISTINCT over rows that change is not supported.");
    if (is_grouped_again) return {};
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
                       "An aggregate over rows that change is itself one that changes: write EMIT "
                       "CHANGES at the end of its query.");
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

// Whoever looks at several rows of a changelog needs to know which replace each other, and which
// go.
SqlResult<SelectBinder::ChangeColumns> SelectBinder::identify_changes(const ast::Select& select,
                                                                      PlanNode& from,
                                                                      std::string_view what) const {
    if (!from.changelog_key)
        return failure(select.from.span,
                       fmt::format("{} over rows that change needs the columns that identify them: "
                                   "select those of GROUP BY as they are.",
                                   what));
    const auto op = expose_row_op(from);
    if (!op)
        return failure(select.from.span,
                       fmt::format("{} over rows that change takes them from GROUP BY ... EMIT "
                                   "CHANGES alone.",
                                   what));
    return ChangeColumns{*from.changelog_key, *op};
}

// Puts the step below that says what comes and what goes: it computes keys and arguments, and the
// groups read them from its columns.
void SelectBinder::take_back_changes(Relation& relation, PlanNode& grouped,
                                     GroupChangesNode& node) const {
    auto below = make_node(std::move(grouped.inputs[0]));
    below->is_changelog = false;
    below->changelog_key.reset();
    below->fixed_columns.clear();
    below->schema.fields.clear();
    RetractNode retract;
    retract.row_key = relation.changes->row_key;
    retract.input_op = relation.changes->op;
    retract.predicate = std::move(relation.changes_filter);
    retract.limits = node.limits;
    const auto move_down = [&](std::vector<ExpressionPtr>& expressions) {
        for (auto& expression : expressions) {
            const auto place = retract.expressions.size();
            const auto type = expression->type();
            auto name = expression->describe();
            below->schema.fields.push_back(
                {fmt::format("$VALUE{}", place), type, expression->is_nullable, true});
            retract.expressions.push_back(std::move(expression));
            expression = std::make_unique<ColumnReference>(type, place, std::move(name));
        }
    };
    move_down(node.keys);
    move_down(node.arguments);
    for (auto& call : node.aggregates)
        call.takes_back = true;
    node.weight = below->schema.size();
    below->schema.fields.push_back({"$WEIGHT", TypeKind::BigInt, false, true});
    below->monotonicity.assign(below->schema.size(), Monotonicity::None);
    below->body = std::move(retract);
    grouped.inputs[0] = std::move(below);
}

}  // namespace tidemill::sql

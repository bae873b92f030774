#include "operators/plan/bind_select.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/aggregate.h"
#include "operators/expr/cast.h"

namespace tidemill::sql {

using ast::ExprKind;

Scope scope_of(std::string_view sql_text, const PlanNode& plan,
               std::vector<std::string> qualifiers) {
    Scope scope{sql_text, std::move(qualifiers), {}};
    for (std::size_t i = 0; i < plan.schema.size(); ++i) {
        const auto& field = plan.schema[i];
        scope.columns.push_back(
            {field.name, field.type, field.is_nullable, field.is_hidden, plan.monotonicity[i]});
    }
    return scope;
}

PlanPtr make_node(PlanPtr input) {
    auto node = std::make_unique<PlanNode>();
    node->schema = input->schema;
    node->monotonicity = input->monotonicity;
    node->is_changelog = input->is_changelog;
    node->changelog_key = input->changelog_key;
    node->fixed_columns = input->fixed_columns;
    node->inputs.push_back(std::move(input));
    return node;
}

PlanPtr make_filter(PlanPtr input, ExpressionPtr predicate) {
    auto node = make_node(std::move(input));
    node->body = FilterNode{std::move(predicate)};
    return node;
}

void walk(const ast::Expr& expr, const std::function<bool(const ast::Expr&)>& visit) {
    if (!visit(expr)) return;
    for (const auto& arg : expr.args)
        walk(*arg, visit);
}

namespace {

bool has_aggregate(const ast::Expr& expr) {
    bool found = false;
    walk(expr, [&](const ast::Expr& node) {
        const bool is_windowed = node.over || node.over_name;
        found |= node.kind == ExprKind::Call && !is_windowed && aggregate_kind(node.op).has_value();
        return !is_windowed;
    });
    return found;
}

bool has_window(const ast::Expr& expr) {
    bool found = false;
    walk(expr, [&](const ast::Expr& node) {
        found |= node.over || node.over_name;
        return true;
    });
    return found;
}

std::string output_name(const ast::SelectItem& item, std::size_t index) {
    if (item.alias) return item.alias->text;
    if (item.expr->kind == ExprKind::Column) return item.expr->path.back().text;
    return fmt::format("EXPR${}", index);
}

}  // namespace

SqlResult<PlanPtr> SelectBinder::bind(const ast::Select& select) {
    const auto* outer = std::exchange(tail_, &select);
    ASSIGN(auto plan, bind_ordered(select));
    tail_ = outer;
    return plan;
}

SqlResult<PlanPtr> SelectBinder::bind_ordered(const ast::Select& select) {
    ASSIGN(auto plan, select.union_all.empty() ? bind_single(select) : bind_union(select));
    if (select.order_by.empty()) return plan;
    return select.within_millis ? bind_time_order(select, std::move(plan))
                                : bind_order(select, std::move(plan));
}

SqlResult<PlanPtr> SelectBinder::bind_union(const ast::Select& select) {
    ASSIGN(auto first, bind_single(select));
    std::vector<PlanPtr> branches;
    Schema schema = first->schema;
    std::erase_if(schema.fields, [](const Field& field) { return field.is_hidden; });
    branches.push_back(std::move(first));
    for (const auto& branch : select.union_all) {
        ASSIGN(auto plan, bind_single(*branch));
        if (plan->schema.size() != schema.size())
            return failure(
                branch->span,
                fmt::format("All branches of UNION ALL need {} columns, this one has {}.",
                            schema.size(), plan->schema.size()));
        for (std::size_t i = 0; i < schema.size(); ++i) {
            auto& field = schema.fields[i];
            const auto type = common_type(field.type, plan->schema[i].type);
            if (!type)
                return failure(
                    branch->items[std::min(i, branch->items.size() - 1)].expr->span,
                    fmt::format(
                        "Column {} of UNION ALL is {} in one branch and {} in another. Use CAST.",
                        i + 1, field.type.to_string(), plan->schema[i].type.to_string()));
            field.type = *type;
            field.is_nullable |= plan->schema[i].is_nullable;
        }
        branches.push_back(std::move(plan));
    }
    auto node = std::make_unique<PlanNode>();
    node->body = UnionNode{};
    node->is_changelog = std::ranges::any_of(branches, &PlanNode::is_changelog);
    node->monotonicity.assign(schema.size(), Monotonicity::None);
    for (auto& branch : branches) {
        ProjectNode cast;
        for (std::size_t i = 0; i < schema.size(); ++i)
            cast.expressions.push_back(
                cast_to(std::make_unique<ColumnReference>(branch->schema[i].type, i,
                                                          branch->schema[i].name),
                        schema[i].type));
        auto project = make_node(std::move(branch));
        project->body = std::move(cast);
        project->schema = schema;
        node->inputs.push_back(std::move(project));
    }
    node->schema = std::move(schema);
    return node;
}

SqlResult<PlanPtr> SelectBinder::bind_single(const ast::Select& select) {
    ASSIGN(auto plan, bind_all_rows(select));
    return select.is_distinct ? bind_distinct(select, std::move(plan)) : std::move(plan);
}

// Without DISTINCT.
SqlResult<PlanPtr> SelectBinder::bind_all_rows(const ast::Select& select) {
    const auto bound_here = std::exchange(rank_bound_, std::nullopt);
    ASSIGN(const auto bound_below, find_rank_bound(select));
    rank_bound_ = bound_below;
    ASSIGN(auto relation, bind_from_clause(select));
    std::vector<const ast::Expr*> conditions;
    if (bound_below)
        conditions = bound_below->others;
    else if (select.where)
        conditions.push_back(select.where.get());
    const auto any_item = [&](const auto& test) {
        return std::ranges::any_of(select.items,
                                   [&](const auto& item) { return test(*item.expr); });
    };
    const bool is_ranked = any_item(is_row_number);
    const bool is_grouped = !select.group_by.empty() || select.stagger_millis || select.having ||
                            any_item(has_aggregate);
    TRY(check_changelog(select, relation, conditions, is_grouped));
    if (relation.plan->is_changelog && is_grouped) {
        ASSIGN(relation.changes, identify_changes(select, *relation.plan, "An aggregate"));
        if (select.where) {
            ASSIGN(relation.changes_filter,
                   ExpressionBinder(relation.scope).bind_condition(*select.where, "WHERE"));
        }
        conditions.clear();
    }
    if (relation.windows && !is_window_group(select, relation)) {
        TRY(add_window_columns(relation));
    }
    for (const auto* expr : conditions) {
        ASSIGN(auto condition, ExpressionBinder(relation.scope).bind_condition(*expr, "WHERE"));
        relation.plan = make_filter(std::move(relation.plan), std::move(condition));
    }
    TRY(bind_rows(select, relation));
    const bool is_windowed = any_item(has_window);
    if (!tail_->options.empty() && !(is_grouped && emits_changes()) && !select.is_distinct &&
        !is_ranked && !bound_below)
        return failure(tail_->options.front().name.span,
                       "Limits of state belong to a SELECT that keeps groups for ever: with EMIT "
                       "CHANGES, DISTINCT or ROW_NUMBER.");
    if (tail_->emit && tail_->emit->kind != ast::EmitKind::Changes && !is_grouped)
        return failure(tail_->emit->span,
                       "EMIT PERIODIC and EMIT ON WINDOW CLOSE end a query with GROUP BY.");
    if (is_grouped && is_ranked)
        return failure(select.span,
                       "GROUP BY and ROW_NUMBER need a query each: number the rows of a subquery.");
    if (is_grouped && is_windowed)
        return failure(
            select.span,
            "GROUP BY together with OVER in one query is not supported yet; use a subquery.");
    if (is_ranked) return bind_ranked(select, std::move(relation), bound_here);
    if (is_grouped) return bind_grouped(select, std::move(relation));
    if (is_windowed) return bind_windowed(select, std::move(relation));
    const Scope scope = relation.scope;
    ExpressionBinder binder(scope);
    return project(select, std::move(relation), scope, binder);
}

// Computes the select list on top of `relation.plan`. `AS ROWTIME` sets the time of the rows
// instead of a column.
SqlResult<PlanPtr> SelectBinder::project(const ast::Select& select, Relation relation,
                                         const Scope& star_scope, ExpressionBinder& binder) {
    ProjectNode node;
    Schema schema;
    std::vector<Monotonicity> monotonicity;
    const auto add = [&](std::string name, ExpressionPtr expression) {
        schema.fields.push_back(
            {std::move(name), expression->type(), expression->is_nullable, false});
        monotonicity.push_back(expression->monotonicity);
        node.expressions.push_back(std::move(expression));
    };
    for (const auto& item : select.items) {
        if (item.expr->kind == ExprKind::Star) {
            if (!item.expr->path.empty() && !star_scope.is_qualifier(item.expr->path.back().text))
                return std::unexpected(star_scope.unknown_column(*item.expr));
            if (!select.group_by.empty())
                return failure(item.expr->span, "* cannot stand in a query with GROUP BY.");
            for (const auto i : star_scope.star(item.expr->path)) {
                const auto& column = star_scope.columns[i];
                auto reference = std::make_unique<ColumnReference>(column.type, i, column.name);
                reference->monotonicity = column.monotonicity;
                reference->is_nullable = column.is_nullable;
                add(column.name, std::move(reference));
            }
            continue;
        }
        if (is_row_function(*item.expr)) {
            ASSIGN(auto fields, row_fields(*item.expr, output_name(item, schema.size())));
            for (auto& [name, field] : fields)
                add(std::move(name), std::move(field));
            continue;
        }
        ASSIGN(auto expression, binder.bind(*item.expr));
        if (item.alias && item.alias->text == kRowtime) {
            if (expression->type().kind != TypeKind::Timestamp)
                return failure(item.expr->span,
                               fmt::format("ROWTIME needs a TIMESTAMP, this is {}.",
                                           expression->type().to_string()));
            node.rowtime = std::move(expression);
            continue;
        }
        add(output_name(item, schema.size()), std::move(expression));
    }
    if (node.expressions.empty())
        return failure(select.span, "The select list gives no column beside ROWTIME.");
    // Rows keep their ROWTIME, and so a column that is it stays so.
    for (std::size_t i = 0; i < monotonicity.size(); ++i) {
        const bool is_rowtime =
            dynamic_cast<const RowtimeReference*>(node.expressions[i].get()) != nullptr ||
            monotonicity[i] == Monotonicity::Rowtime;
        if (is_rowtime)
            monotonicity[i] = node.rowtime ? Monotonicity::Ascending : Monotonicity::Rowtime;
    }
    auto plan = make_node(std::move(relation.plan));
    plan->changelog_key = key_through(node, plan->inputs[0]->changelog_key);
    plan->fixed_columns = columns_through(node, plan->inputs[0]->fixed_columns);
    plan->body = std::move(node);
    plan->schema = std::move(schema);
    plan->monotonicity = std::move(monotonicity);
    return plan;
}

}  // namespace tidemill::sql

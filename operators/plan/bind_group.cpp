#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/cast.h"
#include "operators/plan/aggregate_list.h"
#include "operators/plan/bind_select.h"
#include "operators/plan/window_columns.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

using ast::ExprKind;

namespace {

// STEP(ROWTIME BY INTERVAL ...) and FLOOR(ROWTIME TO unit) know where their window ends.
std::optional<WindowEnd> window_end(const ast::Expr& key, std::size_t index, const Scope& scope) {
    if (key.kind != ExprKind::Call || key.args.empty() || key.args[0]->kind != ExprKind::Column ||
        !scope.is_rowtime(key.args[0]->path))
        return std::nullopt;
    if (key.op == "FLOOR" && key.unit) return WindowEnd{index, 0, key.unit};
    if (key.op == "STEP" && key.args.size() == 2 && key.args[1]->kind == ExprKind::Literal &&
        key.args[1]->literal.type.kind == TypeKind::Interval && key.args[1]->literal.bits > 0)
        return WindowEnd{index, key.args[1]->literal.bits, std::nullopt};
    return std::nullopt;
}

Span span_of(const std::vector<ast::ExprPtr>& exprs) {
    return Span::join(exprs.front()->span, exprs.back()->span);
}

constexpr std::string_view kNeedsMonotonic =
    "needs a monotonic expression that ends the groups of an endless stream, such as STEP(ROWTIME "
    "BY INTERVAL '1' "
    "MINUTE), FLOOR(ROWTIME TO HOUR) or MONOTONIC(column); or write EMIT CHANGES at the end of the "
    "query for a row whenever a group changes.";

}  // namespace

SqlResult<PlanPtr> SelectBinder::bind_grouped(const ast::Select& select, Relation relation) {
    const Scope scope = relation.scope;
    const bool emits_changes = this->emits_changes();
    if (emits_changes && select.stagger_millis)
        return failure(
            tail_->emit->span,
            "EMIT does not go with WINDOWED BY STAGGER; its windows go out as they close.");
    if (select.group_by.empty() && !select.stagger_millis && !emits_changes)
        return failure(
            select.span,
            fmt::format("An aggregate over a stream needs GROUP BY, and that {}", kNeedsMonotonic));
    TumbleNode node;
    Schema schema;
    std::vector<Monotonicity> monotonicity;
    ExpressionBinder plain(scope);
    for (std::size_t i = 0; i < select.group_by.size(); ++i) {
        const auto& expr = *select.group_by[i];
        ASSIGN(auto key, plain.bind(expr));
        const bool is_monotonic = key->monotonicity == Monotonicity::Ascending ||
                                  key->monotonicity == Monotonicity::Descending;
        if (is_monotonic && relation.changes)
            return failure(expr.span,
                           "GROUP BY over rows that change takes no monotonic key: a row that "
                           "changes would belong to another window than before.");
        if (is_monotonic) node.monotonic_keys.push_back(i);
        if (const auto end = window_end(expr, i, scope)) node.ends.push_back(*end);
        const bool is_rowtime = dynamic_cast<const RowtimeReference*>(key.get()) != nullptr;
        if (is_rowtime) node.ends.push_back({i, 0, std::nullopt});
        schema.fields.push_back({fmt::format("$KEY{}", i), key->type(), key->is_nullable, false});
        // Stagger windows close in the order in which they opened, whatever their keys.
        monotonicity.push_back(select.stagger_millis          ? Monotonicity::None
                               : is_rowtime && !emits_changes ? Monotonicity::Rowtime
                                                              : key->monotonicity);
        node.keys.push_back(std::move(key));
    }
    if (relation.windows) {
        TRY(check_window_group(select, relation));
        monotonicity =
            window_monotonicity(node.keys, *relation.windows, relation.plan->schema.size());
    }
    const std::optional<WindowFunction> windows = relation.windows;
    const auto input_columns = relation.plan->schema.size();
    if (node.monotonic_keys.empty() && !select.stagger_millis && !emits_changes && !windows)
        return failure(span_of(select.group_by),
                       fmt::format("GROUP BY over a stream {}", kNeedsMonotonic));

    AggregateList list(scope, node.arguments, node.aggregates);
    const std::size_t key_count = node.keys.size();
    const std::size_t first_aggregate = key_count + (emits_changes ? 1 : 0);
    bool has_op = false;
    if (emits_changes) {
        schema.fields.push_back({std::string(kRowOp), Type::varchar(2), false, true});
        monotonicity.push_back(Monotonicity::None);
    }
    // Keys and aggregates become columns of the group's row; nothing else of the input survives.
    const auto intercept = [&](const ast::Expr& expr) -> SqlResult<ExpressionPtr> {
        for (std::size_t k = 0; k < key_count; ++k)
            if (is_same(expr, *select.group_by[k], scope)) {
                if (monotonicity[k] == Monotonicity::Rowtime)
                    return std::make_unique<RowtimeReference>();
                auto reference = std::make_unique<ColumnReference>(schema[k].type, k, print(expr));
                reference->monotonicity = monotonicity[k];
                reference->is_nullable = schema[k].is_nullable;
                return reference;
            }
        if (expr.kind == ExprKind::Call && aggregate_kind(expr.op)) {
            ASSIGN(const auto index, list.add(expr));
            return std::make_unique<ColumnReference>(node.aggregates[index].result,
                                                     first_aggregate + index, print(expr));
        }
        if (expr.kind != ExprKind::Column) return ExpressionPtr();
        if (scope.is_rowtime(expr.path) && expr.path.size() == 1)
            return std::make_unique<RowtimeReference>();
        if (emits_changes && expr.path.size() == 1 && expr.path[0].text == kRowOp &&
            !scope.find(expr.path)) {
            has_op = true;
            return std::make_unique<ColumnReference>(Type::varchar(2), key_count,
                                                     std::string(kRowOp));
        }
        if (!scope.is_rowtime(expr.path) && !scope.find(expr.path))
            return std::unexpected(scope.unknown_column(expr));
        return failure(expr.span, fmt::format("{} must stand in GROUP BY or inside an aggregate.",
                                              print(expr)));
    };
    ExpressionBinder binder(scope, intercept);
    ExpressionPtr having;
    if (select.having) {
        ASSIGN(having, binder.bind_condition(*select.having, "HAVING"));
    }
    Relation grouped;
    grouped.plan = make_node(std::move(relation.plan));
    PlanNode* tumble = grouped.plan.get();
    grouped.plan->is_changelog |= emits_changes;
    if (emits_changes) {
        grouped.plan->changelog_key.emplace();
        for (std::size_t k = 0; k < key_count; ++k)
            grouped.plan->changelog_key->push_back(k);
        grouped.plan->fixed_columns = *grouped.plan->changelog_key;
    }
    if (having && !emits_changes)
        grouped.plan = make_filter(std::move(grouped.plan), std::move(having));
    ASSIGN(auto plan, project(select, std::move(grouped), scope, binder));
    // Only now are all aggregates known.
    for (std::size_t i = 0; i < node.aggregates.size(); ++i) {
        schema.fields.push_back({fmt::format("$AGG{}", i), node.aggregates[i].result, true, false});
        monotonicity.push_back(Monotonicity::None);
    }
    for (PlanNode* above = plan.get(); above != nullptr;
         above = above == tumble ? nullptr : above->inputs[0].get()) {
        if (above == plan.get()) continue;
        above->schema = schema;
        above->monotonicity = monotonicity;
    }
    if (emits_changes) {
        ASSIGN(const auto limits, read_state_limits(text_, tail_->options));
        GroupChangesNode changes{.keys = std::move(node.keys),
                                 .monotonic_keys = std::move(node.monotonic_keys),
                                 .arguments = std::move(node.arguments),
                                 .aggregates = std::move(node.aggregates),
                                 .having = std::move(having),
                                 .has_op = has_op,
                                 .period_millis = tail_->emit->millis,
                                 .limits = limits};
        if (relation.changes) {
            if (limits.ttl_millis > 0 || limits.evicts)
                return failure(tail_->options.front().name.span,
                               "Over rows that change only state_limit = n goes with GROUP BY; the "
                               "query below may have state_ttl and state_full.");
            take_back_changes(relation, *tumble, changes);
        }
        tumble->body = std::move(changes);
    } else if (windows) {
        tumble->body = window_group(*windows, input_columns, std::move(node));
    } else if (select.stagger_millis)
        tumble->body = StaggerNode{std::move(node.keys), *select.stagger_millis,
                                   std::move(node.arguments), std::move(node.aggregates)};
    else
        tumble->body = std::move(node);
    return plan;
}

}  // namespace tidemill::sql

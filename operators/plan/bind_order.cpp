#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

namespace {

// The names of the relations in FROM: the ROWTIME of any is that of the result here.
void add_names(const ast::FromItem& from, std::vector<std::string>& names) {
    if (from.kind == ast::FromKind::Join) {
        add_names(*from.left, names);
        add_names(*from.right, names);
    } else if (from.alias) {
        names.push_back(from.alias->text);
    } else if (!from.path.empty()) {
        names.push_back(from.path.back().text);
    }
}

}  // namespace

// Over the columns of the result, by name or by place; ROWTIME is that of the result.
SqlResult<PlanPtr> SelectBinder::bind_order(const ast::Select& select, PlanPtr plan) {
    std::vector<std::string> qualifiers;
    add_names(select.from, qualifiers);
    const auto scope = scope_of(text_, *plan, std::move(qualifiers));
    ExpressionBinder binder(scope);
    SortNode node;
    for (const auto& item : select.order_by) {
        const auto& expr = *item.expr;
        const bool is_place = expr.kind == ast::ExprKind::Literal && !expr.literal.is_null &&
                              expr.literal.type.is_integer();
        ExpressionPtr key;
        if (is_place) {
            const auto place = expr.literal.bits;
            if (place < 1 || place > static_cast<std::int64_t>(plan->schema.size()))
                return failure(expr.span, fmt::format("There are columns 1 to {}, not {}.",
                                                      plan->schema.size(), place));
            const auto index = static_cast<std::size_t>(place - 1);
            const auto& field = plan->schema[index];
            key = std::make_unique<ColumnReference>(field.type, index, field.name);
            key->monotonicity = plan->monotonicity[index];
            if (key->monotonicity == Monotonicity::Rowtime)
                key = std::make_unique<RowtimeReference>();
        } else {
            ASSIGN(key, binder.bind(expr));
        }
        const bool is_first = node.keys.empty();
        if (is_first && (key->monotonicity != Monotonicity::Ascending || item.is_descending))
            return failure(expr.span,
                           "ORDER BY over a stream begins with an expression that ascends with "
                           "ROWTIME, such as FLOOR(s.ROWTIME TO MINUTE); or say WITHIN INTERVAL.");
        node.keys.push_back(std::move(key));
        node.is_descending.push_back(item.is_descending);
    }
    auto sort = make_node(std::move(plan));
    // Only the first key keeps its direction.
    for (auto& monotonicity : sort->monotonicity)
        if (monotonicity != Monotonicity::Constant) monotonicity = Monotonicity::None;
    sort->body = std::move(node);
    return sort;
}

// The time stands in the select list AS ROWTIME; the step below gives it as its last column.
SqlResult<PlanPtr> SelectBinder::bind_time_order(const ast::Select& select, PlanPtr plan) {
    const auto& item = select.order_by.front();
    if (select.order_by.size() > 1)
        return failure(select.order_by[1].expr->span, "ORDER BY ... WITHIN takes one time.");
    if (item.is_descending)
        return failure(item.expr->span, "ORDER BY ... WITHIN does not take DESC.");
    auto* project = std::get_if<ProjectNode>(&plan->body);
    const auto* time = static_cast<const ast::Expr*>(nullptr);
    for (const auto& column : select.items)
        if (column.alias && column.alias->text == kRowtime) time = column.expr.get();
    const bool is_it = time != nullptr &&
                       (print(*time) == print(*item.expr) ||
                        (item.expr->kind == ast::ExprKind::Column &&
                         item.expr->path.back().text == kRowtime && item.expr->path.size() == 1));
    if (!select.union_all.empty() || project == nullptr || !project->rowtime || !is_it)
        return failure(item.expr->span,
                       fmt::format("ORDER BY ... WITHIN needs its time in the select list: {} AS "
                                   "ROWTIME.",
                                   print(*item.expr)));
    if (project->rowtime->is_rowtime_only)
        return failure(item.expr->span, "Rows are in the order of ROWTIME already.");
    project->expressions.push_back(std::move(project->rowtime));
    project->rowtime = nullptr;
    const Schema schema = plan->schema;
    plan->schema.fields.push_back({"$TIME", TypeKind::Timestamp, true, true});
    plan->monotonicity.assign(plan->schema.size(), Monotonicity::None);
    auto sort = make_node(std::move(plan));
    sort->schema = schema;
    sort->monotonicity.assign(schema.size(), Monotonicity::None);
    sort->body = TimeSortNode{*select.within_millis};
    return sort;
}

}  // namespace tidemill::sql

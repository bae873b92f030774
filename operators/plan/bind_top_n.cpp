#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

using ast::ExprKind;

bool is_row_number(const ast::Expr& expr) {
    return expr.kind == ExprKind::Call && expr.op == "ROW_NUMBER" && (expr.over || expr.over_name);
}

namespace {

// a AND b AND c
void split(const ast::Expr& expr, std::vector<const ast::Expr*>& parts) {
    if (expr.kind == ExprKind::Binary && expr.op == "AND") {
        split(*expr.args[0], parts);
        split(*expr.args[1], parts);
    } else {
        parts.push_back(&expr);
    }
}

std::optional<std::int64_t> whole_number(const ast::Expr& expr) {
    if (expr.kind != ExprKind::Literal || expr.literal.is_null || !expr.literal.type.is_integer())
        return std::nullopt;
    return expr.literal.bits;
}

struct Range {
    std::int64_t low = 1, high = INT64_MAX;
};

// What a comparison says of the number; nothing if it says something else.
template <class IsNumber>
std::optional<Range> range_of(const ast::Expr& expr, IsNumber&& is_number) {
    if (expr.kind == ExprKind::Between && !expr.is_negated && is_number(*expr.args[0])) {
        const auto low = whole_number(*expr.args[1]), high = whole_number(*expr.args[2]);
        if (low && high) return Range{*low, *high};
        return std::nullopt;
    }
    if (expr.kind != ExprKind::Binary) return std::nullopt;
    const bool is_left = is_number(*expr.args[0]);
    if (!is_left && !is_number(*expr.args[1])) return std::nullopt;
    const auto value = whole_number(*expr.args[is_left ? 1 : 0]);
    if (!value) return std::nullopt;
    if (expr.op == "=") return Range{*value, *value};
    if (expr.op == (is_left ? "<=" : ">=")) return Range{1, *value};
    if (expr.op == (is_left ? "<" : ">")) return Range{1, *value - 1};
    if (expr.op == (is_left ? ">=" : "<=")) return Range{*value, INT64_MAX};
    if (expr.op == (is_left ? ">" : "<")) return Range{*value + 1, INT64_MAX};
    return std::nullopt;
}

}  // namespace

// SELECT ... FROM (SELECT ..., ROW_NUMBER() OVER (...) AS n FROM ...) WHERE n <= 10, as it is
// written.
SqlResult<std::optional<SelectBinder::RankBound>> SelectBinder::find_rank_bound(
    const ast::Select& select) const {
    if (select.from.kind != ast::FromKind::Subquery) return std::nullopt;
    const auto& inner = *select.from.query;
    const auto item = std::ranges::find_if(
        inner.items, [](const ast::SelectItem& it) { return is_row_number(*it.expr); });
    if (item == inner.items.end()) return std::nullopt;
    const Span place = item->expr->span;
    if (!item->alias) return failure(place, "ROW_NUMBER() OVER (...) needs a name here: ... AS n.");
    if (!select.from.columns.empty())
        return failure(select.from.span,
                       "Name the columns in the subquery with ROW_NUMBER, not behind it.");
    RankBound bound;
    bound.name = item->alias->text;
    bound.options = !select.options.empty() ? &select.options : &inner.options;
    if (bound.options->empty() && tail_ != nullptr) bound.options = &tail_->options;
    const auto is_of_subquery = [&](const std::vector<ast::Name>& path) {
        return path.size() == 1 ||
               (path.size() == 2 && select.from.alias && path[0].text == select.from.alias->text);
    };
    const auto is_number = [&](const ast::Expr& expr) {
        return expr.kind == ExprKind::Column && is_of_subquery(expr.path) &&
               expr.path.back().text == bound.name;
    };
    const std::string hint =
        fmt::format("{0} has to be bounded, so that what is kept has an end: WHERE {0} <= 10.",
                    print_name(bound.name));
    if (!select.where) return failure(place, hint);
    std::vector<const ast::Expr*> parts;
    split(*select.where, parts);
    Range range;
    for (const auto* part : parts) {
        const auto said = range_of(*part, is_number);
        if (!said) {
            bound.others.push_back(part);
            continue;
        }
        range = {std::max(range.low, said->low), std::min(range.high, said->high)};
    }
    if (range.low > 1)
        return failure(select.where->span, fmt::format("The numbers begin with 1: WHERE {} <= n.",
                                                       print_name(bound.name)));
    if (range.high == INT64_MAX) return failure(select.where->span, hint);
    if (range.high < 1 || range.high > kMaxRank)
        return failure(
            select.where->span,
            fmt::format("At most {} rows of a partition are kept, and at least 1.", kMaxRank));
    bound.limit = static_cast<std::uint32_t>(range.high);
    for (const auto& outer : select.items)
        walk(*outer.expr, [&](const ast::Expr& expr) {
            bound.has_rank |= is_number(expr) || expr.kind == ExprKind::Star;
            bound.has_op |= expr.kind == ExprKind::Column && expr.path.back().text == kRowOp;
            return true;
        });
    return bound;
}

// The subquery with ROW_NUMBER: its select list with a place for the number, then what it is
// numbered by, and the step that keeps the first rows.
SqlResult<PlanPtr> SelectBinder::bind_ranked(const ast::Select& select, Relation relation,
                                             const std::optional<RankBound>& bound) {
    const ast::Expr* call = nullptr;
    for (const auto& item : select.items)
        walk(*item.expr, [&](const ast::Expr& expr) {
            if ((expr.over || expr.over_name) && call == nullptr) call = &expr;
            return true;
        });
    for (const auto& item : select.items)
        walk(*item.expr, [&](const ast::Expr& expr) {
            if ((expr.over || expr.over_name) && &expr != call) call = nullptr;
            return call != nullptr;
        });
    if (call == nullptr)
        return failure(select.span,
                       "ROW_NUMBER is the only function with OVER in its query; compute others in "
                       "a subquery below.");
    if (!bound)
        return failure(call->span,
                       "ROW_NUMBER() needs a query around this one that bounds it: SELECT ... FROM "
                       "(SELECT ..., ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...) AS n FROM "
                       "...) WHERE n <= 10.");
    if (!call->args.empty() || call->is_star_call)
        return failure(call->span, "ROW_NUMBER takes no argument.");
    const auto* spec = call->over.get();
    for (const auto& window : select.windows)
        if (call->over_name && window.name.text == call->over_name->text) spec = &window.spec;
    if (spec == nullptr)
        return failure(call->over_name->span,
                       fmt::format("There is no window {}.", print_name(call->over_name->text)));
    if (spec->has_frame || spec->order_by.empty())
        return failure(spec->span,
                       "ROW_NUMBER takes PARTITION BY and ORDER BY, which it needs, and no frame.");
    const Scope scope = relation.scope;
    ExpressionBinder plain(scope);
    TopNNode node;
    if (relation.plan->is_changelog) {
        ASSIGN(auto changes, identify_changes(select, *relation.plan, "ROW_NUMBER"));
        node.is_over_changes = true;
        node.row_key = std::move(changes.row_key);
        node.input_op = changes.op;
    }
    std::vector<ExpressionPtr> keys;
    const auto add_key = [&](const ast::Expr& expr) -> SqlResult<void> {
        ASSIGN(auto key, plain.bind(expr));
        keys.push_back(std::move(key));
        return {};
    };
    for (const auto& key : spec->partition_by) {
        TRY(add_key(*key));
        node.by += (node.by.empty() ? "" : ", ") + print(*key);
    }
    for (const auto& item : spec->order_by) {
        TRY(add_key(*item.expr));
        node.in_order += (node.in_order.empty() ? "" : ", ") + print(*item.expr) +
                         (item.is_descending ? " DESC" : "");
        node.is_descending.push_back(item.is_descending);
    }
    const auto family = keys.back()->type().family();
    node.later_first =
        node.is_descending.back() &&
        (family == Family::Timestamp || family == Family::Date || family == Family::Time);
    const Expression* number = nullptr;
    const auto intercept = [&](const ast::Expr& expr) -> SqlResult<ExpressionPtr> {
        if (&expr != call) return ExpressionPtr();
        auto made = std::make_unique<Literal>(Value::integer(0));
        number = made.get();
        return made;
    };
    ExpressionBinder binder(scope, intercept);
    ASSIGN(auto plan, project(select, std::move(relation), scope, binder));
    auto& project = std::get<ProjectNode>(plan->body);
    node.rank = project.expressions.size();
    for (std::size_t i = 0; i < project.expressions.size(); ++i)
        if (project.expressions[i].get() == number) node.rank = i;
    if (node.rank == project.expressions.size())
        return failure(call->span, "ROW_NUMBER() OVER (...) stands alone in the select list.");
    Schema schema = plan->schema;
    schema.fields.push_back({std::string(kRowOp), Type::varchar(2), false, true});
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto moves = keys[i]->monotonicity;
        if (i < spec->partition_by.size() && moves != Monotonicity::None &&
            moves != Monotonicity::Constant)
            node.monotonic = project.expressions.size();
        (i < spec->partition_by.size() ? node.partition : node.order)
            .push_back(project.expressions.size());
        plan->schema.fields.push_back({fmt::format("$RANK{}", i), keys[i]->type(), true, true});
        plan->monotonicity.push_back(Monotonicity::None);
        project.expressions.push_back(std::move(keys[i]));
    }
    // What a changelog is known by comes along.
    const auto carry = [&](std::size_t column) {
        const auto& field = plan->inputs[0]->schema[column];
        plan->schema.fields.push_back({"$" + field.name, field.type, true, true});
        plan->monotonicity.push_back(Monotonicity::None);
        project.expressions.push_back(
            std::make_unique<ColumnReference>(field.type, column, field.name));
        return project.expressions.size() - 1;
    };
    for (auto& column : node.row_key)
        column = carry(column);
    if (node.is_over_changes) node.input_op = carry(node.input_op);
    node.limit = bound->limit;
    node.has_rank = bound->has_rank;
    node.has_op = bound->has_op;
    ASSIGN(node.limits, read_state_limits(text_, *bound->options));
    if (node.is_over_changes && (node.limits.ttl_millis > 0 || node.limits.evicts))
        return failure(bound->options->front().name.span,
                       "Over rows that change only state_limit = n goes with ROW_NUMBER; the query "
                       "with GROUP BY may have state_ttl and state_full.");
    auto top = make_node(std::move(plan));
    top->body = std::move(node);
    top->schema = std::move(schema);
    top->monotonicity.assign(top->schema.size(), Monotonicity::None);
    top->is_changelog = true;
    top->changelog_key.reset();
    // Columns that rows of one partition agree in.
    const auto& projected = std::get<ProjectNode>(top->inputs[0]->body);
    std::vector<std::size_t> partition_sources;
    for (const auto place : std::get<TopNNode>(top->body).partition)
        if (const auto* reference =
                dynamic_cast<const ColumnReference*>(projected.expressions[place].get()))
            partition_sources.push_back(reference->index());
    top->fixed_columns = columns_through(projected, partition_sources);
    std::erase_if(top->fixed_columns,
                  [&](std::size_t column) { return column + 1 >= top->schema.size(); });
    return top;
}

}  // namespace tidemill::sql

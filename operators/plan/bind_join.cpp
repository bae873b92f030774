#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/cast.h"
#include "operators/expr/logic.h"
#include "operators/expr/within_reach.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/printer.h"

// Joins of streams. bind_lookup.cpp has those with reference tables.
namespace tidemill::sql {

using ast::ExprKind;
using ast::FromKind;
using ast::JoinKind;

namespace {

constexpr std::string_view kRowtimeColumn = "$ROWTIME";

void add_conjuncts(const ast::Expr& condition, std::vector<const ast::Expr*>& conjuncts) {
    if (condition.kind == ExprKind::Binary && condition.op == "AND") {
        add_conjuncts(*condition.args[0], conjuncts);
        add_conjuncts(*condition.args[1], conjuncts);
    } else {
        conjuncts.push_back(&condition);
    }
}

ScopeSide whole_side(const Scope& scope) {
    return {scope.qualifiers, 0, scope.columns.size(), std::nullopt, false};
}

// Which side the names in an expression belong to.
struct Belongs {
    bool left = false, right = false, neither = false;
};

Belongs belongs(const ast::Expr& expr, const Scope& scope, std::size_t left_columns,
                const std::vector<ScopeSide>& left_sides) {
    Belongs found;
    walk(expr, [&](const ast::Expr& node) {
        if (node.kind != ExprKind::Column) {
            found.neither |= node.kind == ExprKind::Cursor || node.over || node.over_name;
            return true;
        }
        const bool is_left_rowtime =
            node.path.size() == 2 && node.path[1].text == kRowtime &&
            std::ranges::any_of(left_sides, [&](const ScopeSide& side) {
                return std::ranges::find(side.qualifiers, node.path[0].text) !=
                       side.qualifiers.end();
            });
        const bool is_rowtime = node.path.size() == 2 && node.path[1].text == kRowtime;
        if (is_rowtime) {
            (is_left_rowtime ? found.left : found.right) = true;
        } else if (const auto index = scope.find(node.path); index) {
            (*index < left_columns ? found.left : found.right) = true;
        } else {
            found.neither = true;
        }
        return true;
    });
    return found;
}

// An equation of columns that bear this name, such as a.window_end = b.window_end.
bool is_equation_of(std::string_view name, const ast::Expr& equation) {
    return std::ranges::all_of(equation.args, [&](const auto& side) {
        return side->kind == ExprKind::Column && side->path.back().text == name;
    });
}

bool is_rowtime(const ExpressionPtr& expression) {
    return dynamic_cast<const RowtimeReference*>(expression.get()) != nullptr;
}

}  // namespace

SqlResult<SelectBinder::Relation> SelectBinder::bind_join_tree(const ast::FromItem& from,
                                                               const ast::Select& select,
                                                               bool sees_where) {
    Relation relation;
    if (from.kind == FromKind::Join) {
        const bool is_inner = from.join == JoinKind::Inner || from.join == JoinKind::Cross;
        const bool sees = sees_where && is_inner;
        ASSIGN(auto left, bind_join_tree(*from.left, select, sees));
        ASSIGN(auto right, bind_join_tree(*from.right, select, sees));
        ASSIGN(relation, bind_join(from, std::move(left), std::move(right),
                                   sees ? select.where.get() : nullptr));
    } else {
        ASSIGN(relation, bind_from(from));
    }
    TRY(bind_join_window(from, select, relation));
    return relation;
}

SqlResult<void> SelectBinder::bind_join_window(const ast::FromItem& from, const ast::Select& select,
                                               Relation& relation) {
    const ast::WindowSpec* spec = from.over.get();
    if (from.over_name) {
        std::vector<std::string> names;
        for (const auto& window : select.windows) {
            if (window.name.text == from.over_name->text) spec = &window.spec;
            names.push_back(print_name(window.name.text));
        }
        if (spec == nullptr)
            return failure(from.over_name->span,
                           fmt::format("There is no window {}.{}", print_name(from.over_name->text),
                                       did_you_mean(print_name(from.over_name->text), names)));
    }
    if (spec == nullptr) return {};
    if (relation.table)
        return failure(from.span, fmt::format("{} is a reference table and has no window.",
                                              print_name(catalog_.tables[*relation.table].name)));
    if (!spec->partition_by.empty())
        return failure(spec->partition_by[0]->span,
                       "The window of a join has no PARTITION BY; ON says which rows belong "
                       "together.");
    for (const auto& item : spec->order_by)
        if (item.is_descending || item.expr->kind != ExprKind::Column ||
            item.expr->path.back().text != kRowtime)
            return failure(item.expr->span, "The window of a join is in the order of ROWTIME.");
    if (!spec->has_frame) return failure(spec->span, "The window of a join needs RANGE or ROWS.");
    relation.has_window = true;
    relation.window = {};
    relation.reach.clear();
    const auto length = spec->preceding ? spec->preceding->literal.bits : 0;
    if (spec->is_following) {
        relation.following = length;
    } else if (spec->is_rows) {
        // CURRENT ROW is the latest one.
        relation.window = {true, std::max<std::int64_t>(length, 1)};
    } else {
        relation.window.length = length;
    }
    return {};
}

SqlResult<SelectBinder::Relation> SelectBinder::bind_join(const ast::FromItem& from, Relation left,
                                                          Relation right, const ast::Expr* where) {
    if (left.table && right.table)
        return failure(from.span,
                       "Both sides of this join are reference tables; one must be a stream.");
    ASSIGN(auto scope, join_scope(from, left, right));
    ASSIGN(auto condition, join_condition(from, left, right, scope, where));
    scope.merged.insert(scope.merged.end(), condition.merged.begin(), condition.merged.end());
    if (left.table || right.table)
        return bind_lookup(from, std::move(left), std::move(right), std::move(scope),
                           std::move(condition));
    if (left.plan->is_changelog || right.plan->is_changelog)
        return failure(from.span,
                       "A join of rows that change would join each change of a row; join the rows "
                       "below instead.");
    return bind_stream_join(from, std::move(left), std::move(right), std::move(scope),
                            std::move(condition));
}

// The columns of both sides; the ROWTIME of a stream's rows as one more, hidden column.
SqlResult<Scope> SelectBinder::join_scope(const ast::FromItem& from, const Relation& left,
                                          const Relation& right) {
    const bool nulls_left = from.join == JoinKind::Right || from.join == JoinKind::Full;
    const bool nulls_right = from.join == JoinKind::Left || from.join == JoinKind::Full;
    Scope scope{text_, {}, {}};
    scope.functions = functions_;
    const auto add = [&](const Relation& relation, bool has_nulls) {
        const auto offset = scope.columns.size();
        for (auto column : relation.scope.columns) {
            column.is_nullable |= has_nulls;
            column.monotonicity = Monotonicity::None;
            scope.columns.push_back(std::move(column));
        }
        auto sides = relation.scope.sides;
        if (sides.empty()) sides.push_back(whole_side(relation.scope));
        for (auto& side : sides) {
            side.begin += offset;
            side.end += offset;
            if (side.rowtime) *side.rowtime += offset;
            scope.sides.push_back(std::move(side));
        }
        for (auto merged : relation.scope.merged) {
            merged.index += offset;
            for (auto& hidden : merged.hidden)
                hidden += offset;
            scope.merged.push_back(std::move(merged));
        }
    };
    add(left, nulls_left);
    const auto left_sides = scope.sides.size();
    add(right, nulls_right);
    for (std::size_t i = left_sides; i < scope.sides.size(); ++i)
        for (std::size_t k = 0; k < left_sides; ++k)
            for (const auto& name : scope.sides[i].qualifiers)
                if (std::ranges::find(scope.sides[k].qualifiers, name) !=
                    scope.sides[k].qualifiers.end())
                    return failure(from.right->span,
                                   fmt::format("Two sides of this join are named {}; give one an "
                                               "alias.",
                                               print_name(name)));
    if (left.table || right.table) {
        // The rows keep the ROWTIME of the stream.
        for (std::size_t i = 0; i < scope.sides.size(); ++i) {
            const bool is_of_table = (i < left_sides ? left : right).table.has_value();
            auto& side = scope.sides[i];
            const bool is_composite = !(i < left_sides ? left : right).scope.sides.empty();
            if (!is_of_table && !is_composite) side.is_rowtime = true;
        }
        return scope;
    }
    const auto add_rowtime = [&](std::size_t begin, std::size_t end, bool has_nulls) {
        bool is_needed = false;
        for (auto i = begin; i < end; ++i) {
            auto& side = scope.sides[i];
            if (side.rowtime) continue;
            const auto& relation = i < left_sides ? left : right;
            if (!relation.scope.sides.empty() && !side.is_rowtime) continue;  // a table's
            side.rowtime = scope.columns.size();
            side.is_rowtime = false;
            is_needed = true;
        }
        if (is_needed)
            scope.columns.push_back({std::string(kRowtimeColumn), TypeKind::Timestamp, has_nulls,
                                     true, Monotonicity::None});
    };
    add_rowtime(0, left_sides, nulls_left);
    add_rowtime(left_sides, scope.sides.size(), nulls_right);
    return scope;
}

SqlResult<SelectBinder::JoinCondition> SelectBinder::join_condition(const ast::FromItem& from,
                                                                    const Relation& left,
                                                                    const Relation& right,
                                                                    const Scope& scope,
                                                                    const ast::Expr* where) {
    JoinCondition condition;
    if (from.is_natural || !from.using_columns.empty()) {
        TRY(add_using(from, left, right, condition));
    }
    std::vector<const ast::Expr*> conjuncts;
    if (from.on) {
        TRY(ExpressionBinder(scope).bind_condition(*from.on, "ON"));
        add_conjuncts(*from.on, conjuncts);
    }
    const auto own = conjuncts.size();
    if (where != nullptr) add_conjuncts(*where, conjuncts);
    const auto left_columns = left.scope.columns.size();
    std::vector<ScopeSide> left_sides = left.scope.sides;
    if (left_sides.empty()) left_sides.push_back(whole_side(left.scope));
    for (std::size_t i = 0; i < conjuncts.size(); ++i) {
        const auto& conjunct = *conjuncts[i];
        const bool is_equation = conjunct.kind == ExprKind::Binary && conjunct.op == "=" &&
                                 conjunct.args[0]->kind != ExprKind::Row;
        Belongs a, b;
        if (is_equation) {
            a = belongs(*conjunct.args[0], scope, left_columns, left_sides);
            b = belongs(*conjunct.args[1], scope, left_columns, left_sides);
        }
        const bool is_key = is_equation && !a.neither && !b.neither && a.left != a.right &&
                            b.left != b.right && a.left != b.left;
        if (!is_key) {
            // What WHERE says besides is tested there.
            if (i < own) condition.residual.push_back(&conjunct);
            continue;
        }
        const auto& of_left = *conjunct.args[a.left ? 0 : 1];
        const auto& of_right = *conjunct.args[a.left ? 1 : 0];
        ASSIGN(auto left_key, ExpressionBinder(left.scope).bind(of_left));
        ASSIGN(auto right_key, ExpressionBinder(right.scope).bind(of_right));
        condition.is_same_rowtime |= is_rowtime(left_key) && is_rowtime(right_key);
        condition.is_same_window |= is_equation_of("WINDOW_END", conjunct);
        TRY(add_key(conjunct, std::move(left_key), std::move(right_key), condition));
    }
    return condition;
}

SqlResult<void> SelectBinder::add_key(const ast::Expr& at, ExpressionPtr left, ExpressionPtr right,
                                      JoinCondition& condition) {
    const auto type = common_type(left->type(), right->type());
    if (!type)
        return failure(at.span, fmt::format("{} and {} cannot be compared. Use CAST.",
                                            left->type().to_string(), right->type().to_string()));
    condition.left_keys.push_back(cast_to(std::move(left), *type));
    condition.right_keys.push_back(cast_to(std::move(right), *type));
    return {};
}

// The columns that both sides have, or those of USING, become one each.
SqlResult<void> SelectBinder::add_using(const ast::FromItem& from, const Relation& left,
                                        const Relation& right, JoinCondition& condition) {
    if (from.join == JoinKind::Full)
        return failure(from.span,
                       "USING and NATURAL do not go with FULL JOIN; write ON a.x = b.x.");
    std::vector<ast::Name> names = from.using_columns;
    if (from.is_natural)
        for (const auto& column : left.scope.columns)
            if (!column.is_hidden &&
                std::ranges::any_of(right.scope.columns, [&](const ScopeColumn& other) {
                    return !other.is_hidden && other.name == column.name;
                }))
                names.push_back({column.name, true, from.right->span});
    if (names.empty())
        return failure(from.right->span,
                       "The sides of this NATURAL join have no column in common.");
    for (const auto& name : names) {
        const std::vector<ast::Name> path{name};
        ast::Expr column;
        column.kind = ExprKind::Column;
        column.path = path;
        column.span = name.span;
        ASSIGN(auto left_key, ExpressionBinder(left.scope).bind(column));
        ASSIGN(auto right_key, ExpressionBinder(right.scope).bind(column));
        const auto a = left.scope.find(path), b = right.scope.find(path);
        if (!a || !b)
            return failure(name.span,
                           fmt::format("{} is no column of both sides.", print_name(name.text)));
        TRY(add_key(column, std::move(left_key), std::move(right_key), condition));
        const auto right_index = *b + left.scope.columns.size();
        condition.merged.push_back(
            {name.text, from.join == JoinKind::Right ? right_index : *a, {*a, right_index}});
    }
    return {};
}

SqlResult<ExpressionPtr> SelectBinder::bind_residual(const JoinCondition& condition,
                                                     const Scope& scope) {
    ExpressionPtr residual;
    for (const auto* conjunct : condition.residual) {
        ASSIGN(auto bound, ExpressionBinder(scope).bind_condition(*conjunct, "ON"));
        residual = residual ? make_and(std::move(residual), std::move(bound)) : std::move(bound);
    }
    return residual;
}

SqlResult<SelectBinder::Relation> SelectBinder::bind_stream_join(const ast::FromItem& from,
                                                                 Relation left, Relation right,
                                                                 Scope scope,
                                                                 JoinCondition condition) {
    // Rows of one window: as far apart as it is long.
    for (auto* side : {&left, &right})
        if (condition.is_same_window && !side->has_window && side->row_window > 0) {
            side->has_window = true;
            side->window.length = side->row_window;
        }
    if (!left.has_window && !right.has_window && left.reach.empty() && right.reach.empty() &&
        !condition.is_same_rowtime)
        return failure(
            from.span,
            "One side of a join of streams needs a window: OVER (RANGE INTERVAL '1' MINUTE "
            "PRECEDING). Without one only rows of the same ROWTIME meet: ON a.ROWTIME = b.ROWTIME "
            "asks for that.");
    const auto left_columns = left.scope.columns.size();
    const auto right_columns = right.scope.columns.size();
    // The rows that follow a row of one side are those that find it in its window.
    const auto follow = [&](Relation& ahead, const Relation& of) -> SqlResult<void> {
        if (of.following == 0) return {};
        if (ahead.window.is_rows)
            return failure(from.span,
                           "A window of ROWS on one side and FOLLOWING on the other do not go "
                           "together.");
        ahead.window.length = std::max(ahead.window.length, of.following);
        return {};
    };
    TRY(follow(left, right));
    TRY(follow(right, left));
    JoinNode node;
    node.keeps_left = from.join == JoinKind::Left || from.join == JoinKind::Full;
    node.keeps_right = from.join == JoinKind::Right || from.join == JoinKind::Full;
    node.left = left.window;
    node.right = right.window;
    node.left_keys = std::move(condition.left_keys);
    node.right_keys = std::move(condition.right_keys);
    // The hidden ROWTIME columns that join_scope has put behind those of the sides.
    const auto has_rowtime_at = [&](std::size_t index) {
        return std::ranges::any_of(scope.sides,
                                   [&](const ScopeSide& side) { return side.rowtime == index; });
    };
    const auto is_of_left = [&](std::size_t index) {
        return std::ranges::any_of(scope.sides, [&](const ScopeSide& side) {
            return side.rowtime == index && side.begin < left_columns;
        });
    };
    for (auto at = left_columns + right_columns; has_rowtime_at(at); ++at)
        (is_of_left(at) ? node.has_left_rowtime : node.has_right_rowtime) = true;
    ASSIGN(node.residual, bind_residual(condition, scope));
    std::vector<Horizon> horizons;
    Relation joined;
    const auto add_reach = [&](const Relation& side, std::size_t offset) -> SqlResult<void> {
        for (const auto& reach : side.reach) {
            horizons.push_back({reach.rowtime + offset, reach.millis});
            joined.reach.push_back({reach.rowtime + offset, reach.millis});
        }
        if (!side.reach.empty()) return {};
        if (side.window.is_rows) {
            joined.has_rows_window = true;
            return {};
        }
        const auto first = offset;
        for (const auto& one : scope.sides)
            if (one.begin >= first && one.begin < first + side.scope.columns.size() && one.rowtime)
                joined.reach.push_back({*one.rowtime, side.window.length});
        return {};
    };
    for (const auto* side : {&left, &right})
        if (side->has_rows_window && !side->has_window)
            return failure(from.span,
                           "A window of ROWS stands in joins of two streams; give this pair a "
                           "window of its own: (a JOIN b ON ...) OVER (RANGE ...).");
    TRY(add_reach(left, 0));
    TRY(add_reach(right, left_columns));
    if (!horizons.empty()) {
        auto within = make_within_reach(std::move(horizons));
        node.residual = node.residual ? make_and(std::move(within), std::move(node.residual))
                                      : std::move(within);
    }
    joined.window.length = joined.reach.empty() ? 0 : joined.reach[0].millis;
    for (const auto& reach : joined.reach)
        joined.window.length = std::min(joined.window.length, reach.millis);
    auto plan = std::make_unique<PlanNode>();
    for (const auto& column : scope.columns)
        plan->schema.fields.push_back(
            {column.name, column.type, column.is_nullable, column.is_hidden});
    plan->monotonicity.assign(plan->schema.size(), Monotonicity::None);
    plan->body = std::move(node);
    plan->inputs.push_back(std::move(left.plan));
    plan->inputs.push_back(std::move(right.plan));
    joined.plan = std::move(plan);
    joined.scope = std::move(scope);
    return joined;
}

}  // namespace tidemill::sql

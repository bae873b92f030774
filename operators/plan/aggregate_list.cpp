#include "operators/plan/aggregate_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/cast.h"
#include "operators/expr/logic.h"
#include "operators/plan/bind_select.h"

namespace tidemill::sql {

namespace {

// COUNT(x) OVER w and COUNT(x) are the same computation; the window is the caller's business.
bool is_same_call(const ast::Expr& a, const ast::Expr& b, const Scope& scope) {
    return a.op == b.op && a.is_star_call == b.is_star_call && a.ignores_nulls == b.ignores_nulls &&
           a.is_from_last == b.is_from_last && a.is_distinct == b.is_distinct &&
           (a.filter == nullptr) == (b.filter == nullptr) &&
           (a.filter == nullptr || is_same(*a.filter, *b.filter, scope)) &&
           a.args.size() == b.args.size() &&
           std::ranges::equal(a.args, b.args,
                              [&](const auto& x, const auto& y) { return is_same(*x, *y, scope); });
}

/// Whether every value counting once makes a difference.
bool can_be_distinct(AggregateKind kind) {
    return kind != AggregateKind::Min && kind != AggregateKind::Max && kind != AggregateKind::Any &&
           kind != AggregateKind::Every;
}

}  // namespace

SqlResult<void> AggregateList::check_modifiers(const ast::Expr& call, AggregateKind kind) const {
    const bool is_windowed = call.over || call.over_name;
    const auto failure = [&](std::string message) {
        return std::unexpected(locate(scope_.sql_text, call.span, std::move(message)));
    };
    if (call.is_distinct && is_of_one_row(kind))
        return failure(fmt::format("{} does not take DISTINCT.", call.op));
    if (call.is_distinct && is_windowed && can_be_distinct(kind))
        return failure(fmt::format(
            "{}(DISTINCT ...) does not go OVER a sliding window; use it with GROUP BY, or "
            "COUNT_DISTINCT_ITEMS_TUMBLING.",
            call.op));
    if (call.is_distinct && kind == AggregateKind::ExpAvg)
        return failure("EXP_AVG does not take DISTINCT.");
    if (call.filter && is_of_one_row(kind))
        return failure(fmt::format("{} does not take FILTER.", call.op));
    return {};
}

/// Index of an argument of that type, the same one for the same expression.
SqlResult<std::size_t> AggregateList::add_argument(const ast::Expr& expr, ExpressionPtr bound) {
    for (const auto& known : arguments_seen_)
        if (known.type == bound->type() && is_same(*known.expr, expr, scope_)) return known.index;
    arguments_seen_.push_back({&expr, bound->type(), arguments_.size()});
    arguments_.push_back(std::move(bound));
    return arguments_.size() - 1;
}

/// FILTER of a call that stands OVER a window is part of its argument; that of GROUP BY is a column
/// of its own. Either way the argument is computed only for the rows that pass.
SqlResult<void> AggregateList::add_filtered(const ast::Expr& call, AggregateCall& entry,
                                            ExpressionPtr argument) {
    ExpressionBinder binder(scope_);
    ASSIGN(auto filter, binder.bind_condition(*call.filter, "FILTER"));
    const bool is_windowed = call.over || call.over_name;
    if (argument &&
        (is_windowed || dynamic_cast<const ColumnReference*>(argument.get()) == nullptr)) {
        const auto type = argument->type();
        std::vector<ExpressionPtr> conditions, values;
        ASSIGN(auto condition, binder.bind_condition(*call.filter, "FILTER"));
        conditions.push_back(std::move(condition));
        values.push_back(std::move(argument));
        entry.argument = arguments_.size();
        arguments_.push_back(make_case(type, std::move(conditions), std::move(values)));
    } else if (argument) {
        ASSIGN(entry.argument, add_argument(*call.args[0], std::move(argument)));
    }
    if (!is_windowed) {
        ASSIGN(entry.filter, add_argument(*call.filter, std::move(filter)));
        return {};
    }
    if (entry.kind != AggregateKind::CountAll) return {};
    // COUNT(*) FILTER (WHERE c) OVER w counts the rows where c is true.
    std::vector<ExpressionPtr> conditions, values;
    conditions.push_back(std::move(filter));
    values.push_back(std::make_unique<Literal>(Value::boolean(true)));
    entry.kind = AggregateKind::Count;
    entry.parameter = TypeKind::Boolean;
    entry.argument = arguments_.size();
    arguments_.push_back(make_case(TypeKind::Boolean, std::move(conditions), std::move(values)));
    return {};
}

/// The n of NTH_VALUE(x, n) and LAG(x [, n [, otherwise]]); other aggregates take one argument.
SqlResult<void> AggregateList::read_offset(const ast::Expr& call, AggregateCall& entry) const {
    const bool is_nth = entry.kind == AggregateKind::NthValue;
    const std::size_t least = is_nth ? 2 : 1;
    const std::size_t most = is_nth ? 2 : entry.kind == AggregateKind::Lag ? 3 : 1;
    if (call.args.size() < least || call.args.size() > most)
        return std::unexpected(
            locate(scope_.sql_text, call.span,
                   is_nth      ? std::string("NTH_VALUE takes a value and n.")
                   : most == 3 ? std::string("LAG takes a value, and then n and a default.")
                               : fmt::format("{} takes one argument.", call.op)));
    entry.ignores_nulls = call.ignores_nulls;
    entry.is_from_last = call.is_from_last;
    if (call.args.size() < 2) return {};
    ASSIGN(const auto n, constant(*call.args[1], TypeKind::BigInt));
    entry.offset = n.bits;
    if (n.is_null || n.bits < (is_nth ? 1 : 0))
        return std::unexpected(
            locate(scope_.sql_text, call.args[1]->span,
                   fmt::format("n of {} must be {} or more.", call.op, is_nth ? 1 : 0)));
    return {};
}

/// EXP_AVG(x, INTERVAL ...)
SqlResult<void> AggregateList::read_half_life(const ast::Expr& call, AggregateCall& entry) const {
    const bool has_interval =
        call.args.size() == 2 && call.args[1]->kind == ast::ExprKind::Literal &&
        call.args[1]->literal.type.kind == TypeKind::Interval && call.args[1]->literal.bits > 0;
    if (!has_interval)
        return std::unexpected(locate(scope_.sql_text, call.span,
                                      "EXP_AVG takes a value and the time in which weights halve: "
                                      "EXP_AVG(price, INTERVAL '10' SECOND) OVER ..."));
    entry.offset = call.args[1]->literal.bits;
    return {};
}

/// What a constant expression is, as `type`.
SqlResult<Value> AggregateList::constant(const ast::Expr& expr, const Type& type) const {
    ASSIGN(auto bound, ExpressionBinder(scope_).bind(expr));
    bool is_constant = bound->is_rowtime_only;
    walk(expr, [&](const ast::Expr& node) {
        is_constant &= node.kind != ast::ExprKind::Column;
        return is_constant;
    });
    if (!is_constant || !is_assignable(bound->type(), type))
        return std::unexpected(
            locate(scope_.sql_text, expr.span,
                   fmt::format("Expected a constant that {} takes here.", type.to_string())));
    auto cast = cast_to(std::move(bound), type);
    const Column rowtime = Column::constant(Value::timestamp(0));
    Batch one;
    one.rowtime = &rowtime;
    one.rows = 1;
    one.selection = Selection::all(1);
    Evaluation evaluation(one, 0);
    Value value = cast->evaluate(evaluation, one.selection).value_at(0);
    if (!evaluation.errors.empty())
        return std::unexpected(
            locate(scope_.sql_text, expr.span, evaluation.errors.front().message));
    value.type = type;
    return value;
}

SqlResult<std::size_t> AggregateList::add(const ast::Expr& call) {
    const auto failure = [&](std::string message) {
        return std::unexpected(locate(scope_.sql_text, call.span, std::move(message)));
    };
    for (std::size_t i = 0; i < seen_.size(); ++i)
        if (is_same_call(*seen_[i], call, scope_)) return i;
    auto kind = *aggregate_kind(call.op);
    TRY(check_modifiers(call, kind));
    AggregateCall entry{kind, 0, {}, {}};
    ExpressionPtr argument;
    if (call.is_star_call) {
        if (kind != AggregateKind::Count) return failure("Only COUNT takes *.");
        entry.kind = AggregateKind::CountAll;
        entry.result = TypeKind::BigInt;
    } else {
        if (needs_window(kind) && !call.over && !call.over_name)
            return failure(fmt::format("{} needs OVER and a window.", call.op));
        TRY(kind == AggregateKind::ExpAvg ? read_half_life(call, entry) : read_offset(call, entry));
        ASSIGN(argument, ExpressionBinder(scope_).bind(*call.args[0]));
        const auto signature = resolve_aggregate(kind, argument->type());
        if (!signature)
            return failure(
                fmt::format("{} does not take {}.", call.op, argument->type().to_string()));
        entry.parameter = signature->parameter;
        entry.result = signature->result;
        if (call.args.size() > 2) {
            ASSIGN(entry.otherwise, constant(*call.args[2], signature->parameter));
        }
        entry.is_distinct = call.is_distinct && can_be_distinct(kind);
        argument = cast_to(std::move(argument), signature->parameter);
    }
    if (call.filter) {
        TRY(add_filtered(call, entry, std::move(argument)));
    } else if (argument) {
        ASSIGN(entry.argument, add_argument(*call.args[0], std::move(argument)));
    }
    calls_.push_back(entry);
    seen_.push_back(&call);
    return calls_.size() - 1;
}

}  // namespace tidemill::sql

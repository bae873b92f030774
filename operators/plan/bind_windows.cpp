#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/bind_select.h"
#include "operators/plan/window_columns.h"
#include "operators/sql/printer.h"

// TUMBLE, HOP, CUMULATE and SESSION in FROM.
namespace tidemill::sql {

using ast::ExprKind;

namespace {

constexpr std::int64_t kMostWindowsOfRow = 10'000;

// Whether a name in the tree is one of the windows' columns.
bool names_window(const ast::Expr& expr, const Scope& scope) {
    bool found = false;
    const auto first = scope.columns.size() - std::size(kWindowColumns);
    walk(expr, [&](const ast::Expr& node) {
        if (node.kind != ExprKind::Column) return true;
        const auto index = scope.find(node.path);
        found |= index && *index >= first;
        return true;
    });
    return found;
}

bool is_window_column(const ast::Expr& expr, const Scope& scope) {
    return expr.kind == ExprKind::Column && names_window(expr, scope);
}

}  // namespace

SqlResult<std::int64_t> SelectBinder::window_length(const ast::Expr& call, std::size_t index,
                                                    std::string_view what) {
    const auto& arg = *call.args[index];
    if (arg.kind != ExprKind::Literal || arg.literal.type.kind != TypeKind::Interval ||
        arg.literal.bits <= 0)
        return failure(arg.span, fmt::format("{} takes {} as INTERVAL '...' SECOND or another unit "
                                             "of fixed length, above 0.",
                                             call.op, what));
    return arg.literal.bits;
}

// The columns of the windows are in the scope, but only what reads them decides on the step.
SqlResult<SelectBinder::Relation> SelectBinder::bind_windows(const ast::FromItem& from) {
    const auto& call = *from.function;
    const bool has_two = call.op == "HOP" || call.op == "CUMULATE";
    if (call.args.size() != (has_two ? 4 : 3) || call.args[0]->kind != ExprKind::Cursor ||
        call.args[1]->op != "DESCRIPTOR")
        return failure(call.span,
                       fmt::format("{} takes (TABLE stream, DESCRIPTOR(ROWTIME), INTERVAL ...{}).",
                                   call.op, has_two ? ", INTERVAL ..." : ""));
    const auto& cursor = *call.args[0];
    Relation relation;
    ASSIGN(relation.plan, bind(*cursor.query));
    if (relation.plan->is_changelog)
        return failure(cursor.span, "Windows need rows that stay; these replace each other.");
    const auto& source = cursor.query->from;
    std::vector<std::string> qualifiers;
    if (from.alias)
        qualifiers = {from.alias->text};
    else if (source.kind == ast::FromKind::Stream && !source.path.empty())
        qualifiers = {source.path.back().text};
    const auto plain = scope_of(text_, *relation.plan, qualifiers);
    const auto& time = *call.args[1]->args[0];
    const bool is_rowtime =
        plain.is_rowtime(time.path) ||
        (plain.find(time.path) &&
         plain.columns[*plain.find(time.path)].monotonicity == Monotonicity::Rowtime);
    if (!is_rowtime)
        return failure(time.span,
                       fmt::format("Windows follow ROWTIME: DESCRIPTOR(ROWTIME). Where {} is to be "
                                   "the time, make it that of the stream: WITH (rowtime = '...'), "
                                   "--rowtime, or ORDER BY {} WITHIN an interval.",
                                   print(time), print(time)));
    WindowFunction windows;
    windows.kind = call.op == "TUMBLE"     ? WindowKind::Tumble
                   : call.op == "HOP"      ? WindowKind::Hop
                   : call.op == "CUMULATE" ? WindowKind::Cumulate
                                           : WindowKind::Session;
    ASSIGN(windows.slide, window_length(call, 2, has_two ? "its step" : "its length"));
    windows.size = windows.slide;
    if (has_two) {
        ASSIGN(windows.size, window_length(call, 3, "its length"));
        if (windows.size < windows.slide && windows.kind == WindowKind::Cumulate)
            return failure(call.args[3]->span, "The step is longer than the window.");
        if (windows.kind == WindowKind::Cumulate && windows.size % windows.slide != 0)
            return failure(call.args[3]->span, "The window must be a multiple of its step.");
        if (windows.size / windows.slide > kMostWindowsOfRow)
            return failure(
                call.args[3]->span,
                fmt::format("A row would be in more than {} windows.", kMostWindowsOfRow));
    }
    if (!cursor.args.empty() && windows.kind != WindowKind::Session)
        return failure(cursor.args[0]->span,
                       "Only SESSION has PARTITION BY; other windows are the same for all keys.");
    ASSIGN(const auto keys, bind_partition(cursor, *relation.plan));
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto* column = dynamic_cast<const ColumnReference*>(keys[i].get());
        if (column == nullptr)
            return failure(cursor.args[i]->span, "PARTITION BY of a SESSION takes columns.");
        windows.partition.push_back(column->index());
    }
    relation.scope = plain;
    relation.scope.functions = functions_;
    for (const auto name : kWindowColumns)
        relation.scope.columns.push_back(
            {std::string(name), TypeKind::Timestamp, false, false, Monotonicity::None});
    relation.windows = std::move(windows);
    relation.windows_span = call.span;
    return relation;
}

bool SelectBinder::is_window_group(const ast::Select& select, const Relation& relation) const {
    const auto& scope = relation.scope;
    return !emits_changes() && std::ranges::any_of(select.group_by, [&](const auto& key) {
        return is_window_column(*key, scope);
    }) && (!select.where || !names_window(*select.where, scope));
}

SqlResult<void> SelectBinder::add_window_columns(Relation& relation) {
    if (relation.windows->kind == WindowKind::Session)
        return failure(relation.windows_span,
                       "A SESSION is known when it is over: GROUP BY window_start, window_end, and "
                       "no WHERE over these.");
    auto plan = make_node(std::move(relation.plan));
    for (const auto name : kWindowColumns) {
        plan->schema.fields.push_back({std::string(name), TypeKind::Timestamp, false, false});
        // The start of a tumbling window ascends with its rows.
        plan->monotonicity.push_back(relation.windows->kind == WindowKind::Tumble
                                         ? Monotonicity::Ascending
                                         : Monotonicity::None);
        relation.scope.columns[plan->schema.size() - 1].monotonicity = plan->monotonicity.back();
    }
    relation.row_window = relation.windows->size;
    plan->body = WindowRowsNode{std::move(*relation.windows)};
    relation.plan = std::move(plan);
    relation.windows.reset();
    return {};
}

// The columns of the windows are keys, and nothing else is computed from them below the groups.
SqlResult<void> SelectBinder::check_window_group(const ast::Select& select,
                                                 const Relation& relation) const {
    const auto& scope = relation.scope;
    std::vector<std::size_t> keys;
    for (const auto& key : select.group_by) {
        if (is_window_column(*key, scope)) continue;
        if (names_window(*key, scope))
            return failure(key->span,
                           "window_start and window_end stand in GROUP BY by themselves.");
        if (const auto index = key->kind == ExprKind::Column ? scope.find(key->path) : std::nullopt)
            keys.push_back(*index);
        else if (relation.windows->kind == WindowKind::Session)
            return failure(key->span, "The keys of a SESSION are the columns of its PARTITION BY.");
    }
    if (relation.windows->kind == WindowKind::Session) {
        auto wanted = relation.windows->partition;
        std::ranges::sort(keys);
        std::ranges::sort(wanted);
        if (keys != wanted)
            return failure(Span::join(select.group_by.front()->span, select.group_by.back()->span),
                           "GROUP BY over a SESSION has window_start, window_end and the columns "
                           "of its PARTITION BY: SESSION(TABLE s PARTITION BY k, ...).");
    }
    std::optional<Span> inside;
    const auto look = [&](const ast::Expr& expr) {
        walk(expr, [&](const ast::Expr& node) {
            if (node.kind == ExprKind::Call && aggregate_kind(node.op))
                for (const auto& arg : node.args)
                    if (names_window(*arg, scope)) inside = arg->span;
            return true;
        });
    };
    for (const auto& item : select.items)
        look(*item.expr);
    if (select.having) look(*select.having);
    if (inside)
        return failure(*inside,
                       "The bounds of a window are the same in all of its rows: no "
                       "aggregate of them is needed.");
    return {};
}

}  // namespace tidemill::sql

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/aggregate_list.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

namespace {

bool is_same_window(const ast::WindowSpec& a, const ast::WindowSpec& b, const Scope& scope) {
    return a.is_rows == b.is_rows && (a.preceding == nullptr) == (b.preceding == nullptr) &&
           (a.preceding == nullptr || a.preceding->literal.bits == b.preceding->literal.bits) &&
           std::ranges::equal(a.partition_by, b.partition_by,
                              [&](const auto& x, const auto& y) { return is_same(*x, *y, scope); });
}

// The aggregates over one window, and where their columns begin.
struct Window {
    const ast::WindowSpec* spec;
    SlideNode node;
    std::vector<const ast::Expr*> calls;
    std::vector<std::size_t> places;  ///< of each call in node.aggregates
};

}  // namespace

// Every window becomes a step that adds its aggregates behind the columns it gets, so the columns
// of the input keep their places and arguments can be bound over the input's scope.
SqlResult<PlanPtr> SelectBinder::bind_windowed(const ast::Select& select, Relation relation) {
    const Scope scope = relation.scope;
    std::vector<std::unique_ptr<Window>> windows;
    std::vector<std::unique_ptr<AggregateList>> lists;
    std::optional<SqlError> error;
    const auto find_spec = [&](const ast::Expr& call) -> const ast::WindowSpec* {
        if (call.over) return call.over.get();
        std::vector<std::string> names;
        for (const auto& window : select.windows) {
            if (window.name.text == call.over_name->text) return &window.spec;
            names.push_back(print_name(window.name.text));
        }
        error = locate(text_, call.over_name->span,
                       fmt::format("There is no window {}.{}", print_name(call.over_name->text),
                                   did_you_mean(print_name(call.over_name->text), names)));
        return nullptr;
    };
    const auto collect = [&](const ast::Expr& call) -> SqlResult<void> {
        if (call.op == "ROW_NUMBER")
            return failure(call.span,
                           "ROW_NUMBER() OVER (...) stands alone in the select list of a subquery "
                           "whose outer query says WHERE number <= n.");
        if (call.op == "RANK" || call.op == "DENSE_RANK")
            return failure(call.span,
                           fmt::format("{} is not supported: ROW_NUMBER() numbers the rows of a "
                                       "partition, without ties.",
                                       call.op));
        if (!aggregate_kind(call.op))
            return failure(call.span,
                           fmt::format("{} OVER a window is not supported yet.", call.op));
        const auto* spec = find_spec(call);
        if (spec == nullptr) return std::unexpected(*error);
        if (!spec->order_by.empty())
            return failure(spec->span,
                           "A window of an aggregate takes PARTITION BY and a frame, no ORDER BY: "
                           "rows are in the order of ROWTIME.");
        if (spec->is_following)
            return failure(call.over_name ? call.over_name->span : call.span,
                           "An aggregate's window must end at the current row; only that of a join "
                           "reaches forward.");
        std::size_t w = 0;
        while (w < windows.size() && !is_same_window(*windows[w]->spec, *spec, scope))
            ++w;
        if (w == windows.size()) {
            windows.push_back(std::make_unique<Window>(Window{spec, {}, {}, {}}));
            auto& node = windows.back()->node;
            lists.push_back(
                std::make_unique<AggregateList>(scope, node.arguments, node.aggregates));
            node.is_rows = spec->is_rows || spec->preceding == nullptr;
            node.preceding = spec->preceding ? spec->preceding->literal.bits : 0;
            for (const auto& key : spec->partition_by) {
                ASSIGN(auto bound, ExpressionBinder(scope).bind(*key));
                node.keys.push_back(std::move(bound));
            }
        }
        ASSIGN(const auto place, lists[w]->add(call));
        windows[w]->calls.push_back(&call);
        windows[w]->places.push_back(place);
        return {};
    };
    for (const auto& item : select.items) {
        SqlResult<void> status;
        walk(*item.expr, [&](const ast::Expr& node) {
            const bool is_windowed = node.over || node.over_name;
            if (is_windowed && status) status = collect(node);
            return !is_windowed;
        });
        if (!status) return std::unexpected(std::move(status).error());
    }
    std::vector<std::size_t> first_column;
    for (auto& window : windows) {
        first_column.push_back(relation.plan->schema.size());
        auto slide = make_node(std::move(relation.plan));
        for (std::size_t i = 0; i < window->node.aggregates.size(); ++i) {
            slide->schema.fields.push_back({fmt::format("$OVER{}", slide->schema.size()),
                                            window->node.aggregates[i].result, true, true});
            slide->monotonicity.push_back(Monotonicity::None);
        }
        slide->body = std::move(window->node);
        relation.plan = std::move(slide);
    }
    const PlanNode& top = *relation.plan;
    const auto intercept = [&](const ast::Expr& expr) -> SqlResult<ExpressionPtr> {
        for (std::size_t w = 0; w < windows.size(); ++w)
            for (std::size_t i = 0; i < windows[w]->calls.size(); ++i)
                if (windows[w]->calls[i] == &expr) {
                    const auto column = first_column[w] + windows[w]->places[i];
                    return std::make_unique<ColumnReference>(top.schema[column].type, column,
                                                             print(expr));
                }
        return ExpressionPtr();
    };
    ExpressionBinder binder(scope, intercept);
    return project(select, std::move(relation), scope, binder);
}

}  // namespace tidemill::sql

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/bind_select.h"
#include "operators/plan/window_columns.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

SqlResult<SelectBinder::Relation> SelectBinder::bind_from_clause(const ast::Select& select) {
    const auto& from = select.from;
    if (from.kind == ast::FromKind::Join) return bind_join_tree(from, select, true);
    if (from.over || from.over_name)
        return failure(from.span,
                       "OVER behind a stream is the window of a join. For aggregates it stands "
                       "behind them: SUM(x) OVER (...).");
    const bool has_windows =
        from.kind == ast::FromKind::Function && is_window_function(from.function->op);
    ASSIGN(auto relation, has_windows ? bind_windows(from) : bind_from(from));
    if (relation.table)
        return failure(from.span, fmt::format("{} is a reference table: join a stream with it.",
                                              print_name(catalog_.tables[*relation.table].name)));
    return relation;
}

SqlResult<SelectBinder::Relation> SelectBinder::bind_from(const ast::FromItem& from) {
    std::vector<std::string> qualifiers;
    Relation relation;
    switch (from.kind) {
        case ast::FromKind::Stream:
            TRY(bind_stream(from, relation, qualifiers));
            break;
        case ast::FromKind::Subquery: {
            ASSIGN(relation.plan, bind(*from.query));
            break;
        }
        case ast::FromKind::Function: {
            if (is_window_function(from.function->op)) {
                ASSIGN(relation, bind_windows(from));
                TRY(add_window_columns(relation));
                return relation;
            }
            ASSIGN(relation.plan, bind_forest(*from.function));
            break;
        }
        case ast::FromKind::Join:
            return failure(from.span, "A join cannot stand here.");
    }
    if (from.alias) qualifiers = {from.alias->text};
    TRY(rename_columns(from, *relation.plan));
    relation.scope = scope_of(text_, *relation.plan, std::move(qualifiers));
    relation.scope.functions = functions_;
    return relation;
}

SqlResult<void> SelectBinder::bind_stream(const ast::FromItem& from, Relation& relation,
                                          std::vector<std::string>& qualifiers) {
    const auto& name = from.path.back();
    if (from.path.size() > 1)
        return failure(from.span, "A stream name of several parts is not supported yet.");
    const auto index = catalog_.find(name.text);
    relation.plan = std::make_unique<PlanNode>();
    auto& plan = *relation.plan;
    qualifiers = {name.text};
    if (index) {
        if (std::ranges::find(sources_, *index) == sources_.end()) sources_.push_back(*index);
        plan.body = ScanNode{*index, name.text};
        plan.schema = catalog_.streams[*index].schema;
    } else if ((relation.table = catalog_.find_table(name.text))) {
        plan.schema = catalog_.tables[*relation.table].schema;
    } else if (name.text == "error_stream" || name.text == "ERROR_STREAM") {
        reads_errors_ = true;
        plan.body = ScanNode{kErrorStreamIndex, std::string(kErrorStream)};
        plan.schema = error_stream_schema();
    } else {
        return failure(name.span, fmt::format("There is no stream {}.{}", print_name(name.text),
                                              did_you_mean(print_name(name.text),
                                                           catalog_.printed_names(true))));
    }
    plan.monotonicity.assign(plan.schema.size(), Monotonicity::None);
    if (index && catalog_.streams[*index].watermark)
        plan.monotonicity[catalog_.streams[*index].watermark->column] = Monotonicity::Rowtime;
    return {};
}

}  // namespace tidemill::sql

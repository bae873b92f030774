#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

SqlResult<SelectBinder::Relation> SelectBinder::bind_from(const ast::FromItem& from) {
    std::vector<std::string> qualifiers;
    PlanPtr plan;
    switch (from.kind) {
        case ast::FromKind::Stream: {
            ASSIGN(plan, bind_stream(from, qualifiers));
            break;
        }
        case ast::FromKind::Subquery: {
            ASSIGN(plan, bind(*from.query));
            break;
        }
        case ast::FromKind::Function: {
            ASSIGN(plan, bind_forest(*from.function));
            break;
        }
    }
    if (from.alias) qualifiers = {from.alias->text};
    TRY(rename_columns(from, *plan));
    Relation relation;
    relation.scope = scope_of(text_, *plan, std::move(qualifiers));
    relation.scope.functions = functions_;
    relation.plan = std::move(plan);
    return relation;
}

SqlResult<PlanPtr> SelectBinder::bind_stream(const ast::FromItem& from,
                                             std::vector<std::string>& qualifiers) {
    const auto& name = from.path.back();
    if (from.path.size() > 1)
        return failure(from.span, "A stream name of several parts is not supported yet.");
    const auto index = catalog_.find(name.text);
    if (!index) {
        if (name.text == "error_stream" || name.text == "ERROR_STREAM")
            return failure(name.span,
                           "Reading error_stream inside the application is not supported yet.");
        return failure(name.span,
                       fmt::format("There is no stream {}.{}", print_name(name.text),
                                   did_you_mean(print_name(name.text), catalog_.printed_names())));
    }
    if (std::ranges::find(sources_, *index) == sources_.end()) sources_.push_back(*index);
    qualifiers = {name.text};
    auto plan = std::make_unique<PlanNode>();
    plan->body = ScanNode{*index, name.text};
    plan->schema = catalog_.streams[*index].schema;
    plan->monotonicity.assign(plan->schema.size(), Monotonicity::None);
    return plan;
}

}  // namespace tidemill::sql

#include "operators/plan/aggregate_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/cast.h"

namespace tidemill::sql {

namespace {

// COUNT(x) OVER w and COUNT(x) are the same computation; the window is the caller's business.
bool is_same_call(const ast::Expr& a, const ast::Expr& b, const Scope& scope) {
    return a.op == b.op && a.is_star_call == b.is_star_call && a.args.size() == b.args.size() &&
           std::ranges::equal(a.args, b.args,
                              [&](const auto& x, const auto& y) { return is_same(*x, *y, scope); });
}

}  // namespace

SqlResult<std::size_t> AggregateList::add(const ast::Expr& call) {
    const auto failure = [&](std::string message) {
        return std::unexpected(locate(scope_.sql_text, call.span, std::move(message)));
    };
    for (std::size_t i = 0; i < seen_.size(); ++i)
        if (is_same_call(*seen_[i], call, scope_)) return i;
    if (call.is_distinct)
        return failure(call.op + "(DISTINCT ...) over a stream is not supported yet.");
    auto kind = *aggregate_kind(call.op);
    AggregateCall entry{kind, 0, {}, {}};
    if (call.is_star_call) {
        if (kind != AggregateKind::Count) return failure("Only COUNT takes *.");
        entry.kind = AggregateKind::CountAll;
        entry.result = TypeKind::BigInt;
    } else {
        if (call.args.size() != 1) return failure(fmt::format("{} takes one argument.", call.op));
        ASSIGN(auto argument, ExpressionBinder(scope_).bind(*call.args[0]));
        const auto signature = resolve_aggregate(kind, argument->type());
        if (!signature)
            return failure(
                fmt::format("{} does not take {}.", call.op, argument->type().to_string()));
        entry.argument = arguments_.size();
        entry.parameter = signature->parameter;
        entry.result = signature->result;
        arguments_.push_back(cast_to(std::move(argument), signature->parameter));
    }
    calls_.push_back(entry);
    seen_.push_back(&call);
    return calls_.size() - 1;
}

}  // namespace tidemill::sql

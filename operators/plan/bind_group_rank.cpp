#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/bind_select.h"

namespace tidemill::sql {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

}  // namespace

// GROUP_RANK(CURSOR, 'column', 'rank column', 'asc' | 'desc', 'asc' | 'desc', maxIdle, outputMax)
SqlResult<PlanPtr> SelectBinder::bind_group_rank(const ast::Expr& call) {
    if (call.args.empty() || call.args[0]->kind != ast::ExprKind::Cursor)
        return failure(call.args.empty() ? call.span : call.args[0]->span,
                       "GROUP_RANK takes CURSOR(SELECT STREAM ...) as its first argument.");
    if (call.args.size() != 7)
        return failure(call.span,
                       "GROUP_RANK takes CURSOR(SELECT STREAM ...), the column to rank by and the "
                       "name of the rank in single quotes, 'asc' or 'desc' for the ranks and for "
                       "the output, the milliseconds of maxIdle and the rows of outputMax.");
    ASSIGN(auto input, bind(*call.args[0]->query));
    GroupRankNode node;
    ASSIGN(node.column, named_column(*call.args[1], *input));
    const auto text_at = [&](std::size_t index) -> SqlResult<std::string> {
        const auto& arg = *call.args[index];
        if (arg.kind != ast::ExprKind::Literal || arg.literal.is_null ||
            !arg.literal.type.is_text())
            return failure(arg.span, "Expected a text in single quotes.");
        return arg.literal.text;
    };
    ASSIGN(const auto name, text_at(2));
    if (name.empty()) return failure(call.args[2]->span, "The column of the rank needs a name.");
    ASSIGN(const auto sort, text_at(3));
    if (lower(sort) != "asc" && lower(sort) != "desc")
        return failure(call.args[3]->span, "sortOrder is 'asc' or 'desc'.");
    node.is_descending = lower(sort) == "desc";
    ASSIGN(const auto output, text_at(4));
    if (lower(output) == "asc")
        node.output = GroupRankNode::Order::Ascending;
    else if (lower(output) == "desc")
        node.output = GroupRankNode::Order::Descending;
    else if (!output.empty() && lower(output) != "none")
        return failure(call.args[4]->span,
                       "outputOrder is 'asc', 'desc', or '' for the order in which rows come.");
    // A group is over when ROWTIME goes on, which it does on idle inputs too.
    TRY(forest_parameter(call, 5, "maxIdle", 0, 0, INT32_MAX));
    ASSIGN(const auto limit, forest_parameter(call, 6, "outputMax", 0, 0, INT32_MAX));
    node.limit = static_cast<std::uint32_t>(limit);
    auto plan = make_node(std::move(input));
    plan->body = std::move(node);
    plan->schema.fields.push_back({name, TypeKind::Integer, false, false});
    plan->monotonicity.push_back(Monotonicity::None);
    return plan;
}

}  // namespace tidemill::sql

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/cast.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/nearest_name.h"

namespace tidemill::sql {

namespace {
constexpr std::int64_t kMostItems = 100'000, kMostSeconds = 3600;
constexpr std::uint32_t kItemLength = 1024;
}  // namespace

/// A column of the CURSOR by a text that names it, in its case or folded.
SqlResult<std::size_t> SelectBinder::named_column(const ast::Expr& named, const PlanNode& input) {
    if (named.kind != ast::ExprKind::Literal || named.literal.is_null ||
        !named.literal.type.is_text())
        return failure(named.span, "The column is named by a text in single quotes.");
    std::string upper = named.literal.text;
    for (char& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    auto column = input.schema.find(named.literal.text);
    if (!column) column = input.schema.find(upper);
    if (!column) {
        std::vector<std::string> names;
        for (const auto& field : input.schema.fields)
            names.push_back(field.name);
        return failure(named.span,
                       fmt::format("There is no column '{}' in the CURSOR.{}", named.literal.text,
                                   did_you_mean(named.literal.text, names)));
    }
    return *column;
}

// TOP_K_ITEMS_TUMBLING(CURSOR, 'column', K, seconds), COUNT_DISTINCT_ITEMS_TUMBLING(CURSOR,
// 'column', seconds).
SqlResult<PlanPtr> SelectBinder::bind_items(const ast::Expr& call) {
    const bool is_top = call.op == "TOP_K_ITEMS_TUMBLING";
    if (call.args.empty() || call.args[0]->kind != ast::ExprKind::Cursor)
        return failure(call.args.empty() ? call.span : call.args[0]->span,
                       call.op + " takes CURSOR(SELECT STREAM ...) as its first argument.");
    if (call.args.size() != (is_top ? 4 : 3))
        return failure(call.span,
                       fmt::format("{} takes CURSOR(SELECT STREAM ...), the name of a column in "
                                   "single quotes, {}and the seconds of a window.",
                                   call.op, is_top ? "how many items " : ""));
    ASSIGN(auto input, bind(*call.args[0]->query));
    ASSIGN(const auto column, named_column(*call.args[1], *input));
    ItemsNode node;
    if (is_top) {
        ASSIGN(const auto top, forest_parameter(call, 2, "topK", 0, 1, kMostItems));
        node.top = static_cast<std::uint32_t>(top);
    }
    ASSIGN(const auto seconds,
           forest_parameter(call, is_top ? 3 : 2, "windowSize", 0, 1, kMostSeconds));
    node.millis = seconds * 1000;
    const auto& field = input->schema[column];
    node.item = cast_to(std::make_unique<ColumnReference>(field.type, column, field.name),
                        Type::varchar(kItemLength));
    auto plan = make_node(std::move(input));
    plan->body = std::move(node);
    plan->schema = {};
    if (is_top) {
        plan->schema.fields.push_back({"ITEM", Type::varchar(kItemLength), false, false});
        plan->schema.fields.push_back({"ITEM_COUNT", TypeKind::BigInt, false, false});
    } else {
        plan->schema.fields.push_back({"NUMBER_OF_DISTINCT_ITEMS", TypeKind::BigInt, false, false});
    }
    plan->monotonicity.assign(plan->schema.size(), Monotonicity::None);
    return plan;
}

}  // namespace tidemill::sql

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/nearest_name.h"

namespace tidemill::sql {

namespace {

constexpr std::size_t kMaxForestColumns = 30;

// DECIMAL is not among the numeric types of the forest's contract.
bool is_forest_column(const Field& field) {
    return !field.is_hidden && (field.type.is_integer() || field.type.is_approximate());
}

}  // namespace

SqlResult<std::int64_t> SelectBinder::forest_parameter(const ast::Expr& call, std::size_t index,
                                                       std::string_view name,
                                                       std::int64_t otherwise, std::int64_t low,
                                                       std::int64_t high) {
    if (index >= call.args.size()) return otherwise;
    const Scope nothing{text_, {}, {}};
    const auto& arg = *call.args[index];
    ASSIGN(const auto bound, ExpressionBinder(nothing).bind(arg));
    const auto* literal = dynamic_cast<const Literal*>(bound.get());
    const bool is_right = literal != nullptr && !literal->value().is_null &&
                          (name == "withDirectionality" ? literal->type().kind == TypeKind::Boolean
                                                        : literal->type().is_integer());
    if (!is_right)
        return failure(arg.span,
                       fmt::format("{} must be a literal {}.", name,
                                   name == "withDirectionality" ? "TRUE or FALSE" : "integer"));
    const auto value = literal->value().bits;
    if (value < low || value > high)
        return failure(arg.span,
                       fmt::format("{} must be from {} to {}, not {}.", name, low, high, value));
    return value;
}

/// PARTITION BY behind a CURSOR, over its columns.
SqlResult<std::vector<ExpressionPtr>> SelectBinder::bind_partition(const ast::Expr& cursor,
                                                                   const PlanNode& input) {
    const auto scope = scope_of(text_, input, {});
    ExpressionBinder binder(scope);
    std::vector<ExpressionPtr> keys;
    for (const auto& arg : cursor.args) {
        ASSIGN(auto key, binder.bind(*arg));
        keys.push_back(std::move(key));
    }
    return keys;
}

/// Numeric columns that make the point; those of PARTITION BY do not.
SqlResult<std::vector<std::size_t>> SelectBinder::point_columns(
    const ast::Expr& cursor, const PlanNode& input, const std::vector<ExpressionPtr>& keys) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < input.schema.size(); ++i) {
        const bool is_key = std::ranges::any_of(keys, [&](const ExpressionPtr& key) {
            const auto* column = dynamic_cast<const ColumnReference*>(key.get());
            return column != nullptr && column->index() == i;
        });
        if (is_forest_column(input.schema[i]) && !is_key) columns.push_back(i);
    }
    if (columns.empty())
        return failure(cursor.span,
                       "The CURSOR gives no numeric column (integers, REAL or DOUBLE) to score.");
    if (columns.size() > kMaxForestColumns)
        return failure(cursor.span,
                       fmt::format("The CURSOR gives {} numeric columns; at most {} are allowed.",
                                   columns.size(), kMaxForestColumns));
    return columns;
}

SqlResult<PlanPtr> SelectBinder::bind_forest(const ast::Expr& call) {
    if (call.op == "HOTSPOTS") return bind_hot_spots(call);
    if (call.op == "TOP_K_ITEMS_TUMBLING" || call.op == "COUNT_DISTINCT_ITEMS_TUMBLING")
        return bind_items(call);
    if (call.op == "GROUP_RANK") return bind_group_rank(call);
    const bool has_explanation = call.op == "RANDOM_CUT_FOREST_WITH_EXPLANATION";
    if (call.op != "RANDOM_CUT_FOREST" && !has_explanation) {
        const std::string known[] = {"RANDOM_CUT_FOREST",
                                     "RANDOM_CUT_FOREST_WITH_EXPLANATION",
                                     "HOTSPOTS",
                                     "TOP_K_ITEMS_TUMBLING",
                                     "COUNT_DISTINCT_ITEMS_TUMBLING",
                                     "GROUP_RANK",
                                     "TUMBLE",
                                     "HOP",
                                     "CUMULATE",
                                     "SESSION"};
        return failure(call.span, fmt::format("There is no table function {}.{}", call.op,
                                              did_you_mean(call.op, known)));
    }
    const std::size_t max_args = has_explanation ? 6 : 5;
    if (call.args.empty() || call.args[0]->kind != ast::ExprKind::Cursor)
        return failure(call.args.empty() ? call.span : call.args[0]->span,
                       call.op + " takes CURSOR(SELECT STREAM ...) as its first argument.");
    if (call.args.size() > max_args)
        return failure(call.args[max_args]->span,
                       fmt::format("{} takes at most {} arguments.", call.op, max_args));
    ASSIGN(auto input, bind(*call.args[0]->query));
    ForestNode node;
    node.has_explanation = has_explanation;
    ASSIGN(const auto trees, forest_parameter(call, 1, "numberOfTrees", 100, 1, 1000));
    ASSIGN(const auto sample, forest_parameter(call, 2, "subSampleSize", 256, 10, 1000));
    ASSIGN(const auto decay, forest_parameter(call, 3, "timeDecay", 100000, 1, 2147483647));
    ASSIGN(const auto shingle, forest_parameter(call, 4, "shingleSize", 1, 1, 30));
    TRY(forest_parameter(call, 5, "withDirectionality", 0, 0, 1));
    if (sample >= decay)
        return failure(
            call.args[std::min<std::size_t>(3, call.args.size() - 1)]->span,
            fmt::format("subSampleSize ({}) must be below timeDecay ({}).", sample, decay));
    node.trees = static_cast<std::uint32_t>(trees);
    node.sample = static_cast<std::uint32_t>(sample);
    node.time_decay = static_cast<std::uint32_t>(decay);
    node.shingle = static_cast<std::uint32_t>(shingle);
    ASSIGN(node.keys, bind_partition(*call.args[0], *input));
    ASSIGN(node.columns, point_columns(*call.args[0], *input, node.keys));
    auto plan = make_node(std::move(input));
    plan->body = std::move(node);
    const auto add = [&](std::string name, Type type, bool is_hidden = false) {
        plan->schema.fields.push_back({std::move(name), type, true, is_hidden});
        plan->monotonicity.push_back(Monotonicity::None);
    };
    add("ANOMALY_SCORE", TypeKind::Double);
    if (has_explanation) add("ANOMALY_EXPLANATION", Type::varchar(20480));
    // Not of the retired service, so not part of *.
    add("ANOMALY_GRADE", TypeKind::Double, true);
    if (has_explanation) add("ANOMALY_EXPECTED", Type::varchar(20480), true);
    return plan;
}

}  // namespace tidemill::sql

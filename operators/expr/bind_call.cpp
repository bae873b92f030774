#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/aggregate.h"
#include "operators/expr/bind_expression.h"
#include "operators/expr/cast.h"
#include "operators/expr/function.h"
#include "operators/expr/in_list.h"
#include "operators/expr/logic.h"
#include "operators/expr/monotonicity.h"
#include "operators/expr/user_function.h"
#include "operators/sql/nearest_name.h"

namespace tidemill::sql {

namespace {

// Functions of the dialect that later releases bring.
bool is_known_elsewhere(std::string_view name) {
    static constexpr std::string_view kLater[] = {
        "EXP_AVG",
        "GROUP_RANK",
    };
    return std::ranges::find(kLater, name) != std::end(kLater);
}

std::string list_types(const std::vector<Type>& types) {
    std::string text;
    for (const auto& type : types)
        text += (text.empty() ? "" : ", ") + type.to_string();
    return text.empty() ? "nothing" : text;
}

}  // namespace

SqlResult<ExpressionPtr> ExpressionBinder::bind_call(const ast::Expr& expr) {
    if (expr.filter && !aggregate_kind(expr.op))
        return failure(expr.filter->span, expr.op + " is no aggregate: it does not take FILTER.");
    if (scope_.functions != nullptr && scope_.functions->has(expr.op)) {
        if (expr.over || expr.over_name)
            return failure(expr.span, expr.op + " does not take OVER.");
        ASSIGN(auto given, bind_all(expr.args));
        return scope_.functions->bind_call(expr, std::move(given), scope_.sql_text);
    }
    if (aggregate_kind(expr.op))
        return failure(
            expr.span,
            fmt::format(
                "{} is an aggregate: it stands in the select list or HAVING of a query with "
                "GROUP BY, or before OVER.",
                expr.op));
    if (is_known_elsewhere(expr.op)) return failure(expr.span, expr.op + " is not supported yet.");
    if (expr.over || expr.over_name) return failure(expr.span, expr.op + " does not take OVER.");
    if (expr.op.ends_with("_LOG_PARSE") || expr.op == "FAST_REGEX_LOG_PARSER")
        return failure(expr.span,
                       expr.op +
                           " gives a row: it stands alone in a select list, and the query "
                           "above takes its columns as t.r.COLUMN1.");
    ASSIGN(auto args, bind_all(expr.args));
    if (expr.op == "MONOTONIC" && args.size() == 1) {
        args[0]->monotonicity = Monotonicity::Ascending;
        return std::move(args[0]);
    }
    if (expr.op == "COALESCE" && !args.empty()) {
        ASSIGN(const auto type, unify(expr, args));
        return make_coalesce(type, std::move(args));
    }
    if ((expr.op == "IFNULL" || expr.op == "NVL") && args.size() == 2) {
        ASSIGN(const auto type, unify(expr, args));
        return make_coalesce(type, std::move(args));
    }
    if (expr.op == "IF" && args.size() == 3) {
        std::vector<ExpressionPtr> conditions, values;
        ASSIGN(auto condition, as_boolean(*expr.args[0], std::move(args[0]), "IF"));
        conditions.push_back(std::move(condition));
        values.push_back(std::move(args[1]));
        values.push_back(std::move(args[2]));
        ASSIGN(const auto type, unify(expr, values));
        return make_case(type, std::move(conditions), std::move(values));
    }
    if (expr.op == "NULLIF" && args.size() == 2) {
        ASSIGN(const auto type, unify(expr, args));
        static_cast<void>(type);
        return make_null_if(std::move(args[0]), std::move(args[1]));
    }
    // FLOOR(x TO unit) and EXTRACT(unit FROM x) carry the unit as an argument.
    std::string name = expr.op;
    if (expr.unit) {
        auto unit = std::make_unique<Literal>(
            Value::integer(static_cast<std::int64_t>(*expr.unit), TypeKind::Integer));
        const bool is_first = name == "EXTRACT";
        args.insert(is_first ? args.begin() : args.end(), std::move(unit));
        name = is_first ? "$EXTRACT" : "$" + name + "_TO";
        if (is_first && *expr.unit == TimeUnit::Second) name = "$EXTRACT_SECOND";
    }
    const auto* function = find_function(name);
    if (function == nullptr) {
        auto names = function_names();
        if (scope_.functions != nullptr)
            for (auto& known : scope_.functions->names())
                names.push_back(std::move(known));
        return failure(
            {expr.span.begin, expr.span.begin + expr.op.size()},
            fmt::format("There is no function {}.{}", expr.op, did_you_mean(expr.op, names)));
    }
    if (args.size() < function->min_args || args.size() > function->max_args)
        return failure(expr.span,
                       fmt::format("Wrong number of arguments; expected {}.", function->usage));
    std::vector<Type> types;
    for (const auto& arg : args)
        types.push_back(arg->type());
    const auto signature = function->resolve(types);
    if (!signature)
        return failure(expr.span, fmt::format("{} does not take {}; expected {}.", expr.op,
                                              list_types(types), function->usage));
    const auto monotonicity = monotonicity_of_call(name, args);
    const bool is_clock = args.empty();
    for (std::size_t i = 0; i < args.size(); ++i)
        args[i] = cast_to(std::move(args[i]), signature->parameters[i]);
    auto call = std::make_unique<KernelExpression>(expr.op, signature->result, signature->kernel,
                                                   std::move(args));
    call->monotonicity = monotonicity;
    if (is_clock) call->is_rowtime_only = false;
    return call;
}

}  // namespace tidemill::sql

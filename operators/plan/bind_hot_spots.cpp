#include <cmath>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/plan/bind_select.h"

namespace tidemill::sql {

namespace {
constexpr std::size_t kArguments = 4, kMaxArguments = 5;
constexpr std::int64_t kFewestRecords = 100, kMostRecords = 1000;
// Of a window by time, beyond which the oldest leave early.
constexpr std::int64_t kMostRecordsOfPeriod = 1 << 20;
constexpr std::string_view kUsage =
    "HOTSPOTS takes CURSOR(SELECT STREAM ...), windowSize, scanRadius, "
    "minimumNumberOfPointsInAHotspot [, withIdentity]";
}  // namespace

SqlResult<PlanPtr> SelectBinder::bind_hot_spots(const ast::Expr& call) {
    if (call.args.empty() || call.args[0]->kind != ast::ExprKind::Cursor)
        return failure(call.args.empty() ? call.span : call.args[0]->span,
                       "HOTSPOTS takes CURSOR(SELECT STREAM ...) as its first argument.");
    if (call.args.size() < kArguments || call.args.size() > kMaxArguments)
        return failure(call.span,
                       fmt::format("{}; it has {} arguments here.", kUsage, call.args.size()));
    ASSIGN(auto input, bind(*call.args[0]->query));
    HotSpotsNode node;
    const Scope nothing{text_, {}, {}};
    ExpressionBinder literals(nothing);
    const auto literal = [&](std::size_t index) -> SqlResult<Value> {
        ASSIGN(const auto bound, literals.bind(*call.args[index]));
        const auto* found = dynamic_cast<const Literal*>(bound.get());
        return found == nullptr || found->value().is_null ? Value::null() : found->value();
    };
    ASSIGN(const auto window, literal(1));
    if (window.type.kind == TypeKind::Interval) {
        if (window.bits <= 0)
            return failure(call.args[1]->span, "windowSize must be longer than nothing.");
        node.period = window.bits;
        node.window = kMostRecordsOfPeriod;
    } else if (window.is_null || !window.type.is_integer()) {
        return failure(call.args[1]->span,
                       "windowSize must be a literal integer, or an INTERVAL of time.");
    } else {
        ASSIGN(const auto records,
               forest_parameter(call, 1, "windowSize", 0, kFewestRecords, kMostRecords));
        node.window = static_cast<std::uint32_t>(records);
    }
    ASSIGN(const auto radius, literal(2));
    if (radius.is_null || !radius.type.is_numeric())
        return failure(call.args[2]->span, "scanRadius must be a literal number.");
    node.radius = radius.type.storage() == Storage::Double
                      ? radius.as_double()
                      : static_cast<double>(radius.bits) /
                            static_cast<double>(power_of_ten(radius.type.scale));
    if (!(node.radius > 0) || !std::isfinite(node.radius))
        return failure(call.args[2]->span,
                       fmt::format("scanRadius must be above 0, not {}.", node.radius));
    ASSIGN(const auto minimum,
           forest_parameter(call, 3, "minimumNumberOfPointsInAHotspot", 0, 2, node.window));
    node.minimum = static_cast<std::uint32_t>(minimum);
    if (call.args.size() == kMaxArguments) {
        ASSIGN(const auto identity, literal(4));
        if (identity.is_null || identity.type.kind != TypeKind::Boolean)
            return failure(call.args[4]->span, "withIdentity must be a literal TRUE or FALSE.");
        node.has_identity = identity.bits != 0;
    }
    ASSIGN(node.keys, bind_partition(*call.args[0], *input));
    ASSIGN(node.columns, point_columns(*call.args[0], *input, node.keys));
    auto plan = make_node(std::move(input));
    plan->body = std::move(node);
    // The reference's heading calls it HOTSPOT_RESULTS, its examples HOTSPOTS_RESULT.
    plan->schema.fields.push_back({"HOTSPOTS_RESULT", Type::varchar(), true, false});
    plan->schema.fields.push_back({"HOTSPOT_RESULTS", Type::varchar(), true, true});
    plan->monotonicity.resize(plan->schema.size(), Monotonicity::None);
    return plan;
}

}  // namespace tidemill::sql

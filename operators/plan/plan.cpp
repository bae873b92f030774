#include "operators/plan/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operators/sql/printer.h"

namespace tidemill::sql {

namespace {

std::string list(const std::vector<ExpressionPtr>& expressions) {
    std::string text;
    for (const auto& expression : expressions)
        text += (text.empty() ? "" : ", ") + expression->describe();
    return text;
}

std::string list(const std::vector<AggregateCall>& aggregates,
                 const std::vector<ExpressionPtr>& arguments) {
    std::string text;
    for (const auto& call : aggregates) {
        if (!text.empty()) text += ", ";
        text += aggregate_name(call.kind);
        if (call.kind != AggregateKind::CountAll)
            text += fmt::format("({}{})", call.is_distinct ? "DISTINCT " : "",
                                arguments[call.argument]->describe());
        if (call.filter) text += " FILTER " + arguments[*call.filter]->describe();
    }
    return text;
}

std::string condition(const std::vector<ExpressionPtr>& left,
                      const std::vector<ExpressionPtr>& right, const Expression* residual) {
    std::string text;
    for (std::size_t i = 0; i < left.size(); ++i)
        text += (text.empty() ? "" : " and ") + left[i]->describe() + " = " + right[i]->describe();
    if (residual != nullptr) text += (text.empty() ? "" : " and ") + residual->describe();
    return text.empty() ? "anything" : text;
}

std::string describe_window(const JoinWindow& window) {
    if (window.is_rows) return fmt::format("{} rows", window.length);
    return window.length == 0 ? "current row" : fmt::format("{} ms", window.length);
}

std::string describe_windows(const WindowFunction& windows) {
    switch (windows.kind) {
        case WindowKind::Tumble:
            return fmt::format("windows of {} ms", windows.size);
        case WindowKind::Hop:
            return fmt::format("windows of {} ms every {} ms", windows.size, windows.slide);
        case WindowKind::Cumulate:
            return fmt::format("windows up to {} ms in steps of {} ms", windows.size,
                               windows.slide);
        case WindowKind::Session:
            return fmt::format("sessions with gaps of {} ms", windows.size);
    }
    return {};
}

struct Describe {
    std::string operator()(const GroupRankNode& node) const {
        return fmt::format("Rank rows of one ROWTIME by column {}{}", node.column + 1,
                           node.is_descending ? " DESC" : "");
    }
    std::string operator()(const WindowRowsNode& node) const {
        return "Rows of " + describe_windows(node.windows);
    }
    std::string operator()(const WindowGroupNode& node) const {
        return fmt::format("Group by {}{}{}: {}", describe_windows(node.windows),
                           node.keys.empty() ? "" : ", ", list(node.keys),
                           list(node.aggregates, node.arguments));
    }
    std::string operator()(const ScanNode& node) const { return "Scan " + print_name(node.name); }
    std::string operator()(const FilterNode& node) const {
        return "Filter " + node.predicate->describe();
    }
    std::string operator()(const ProjectNode& node) const {
        return "Project " + list(node.expressions) +
               (node.rowtime ? ", " + node.rowtime->describe() + " AS ROWTIME" : "");
    }
    std::string operator()(const TumbleNode& node) const {
        return "Tumble by " + list(node.keys) + ": " + list(node.aggregates, node.arguments);
    }
    std::string operator()(const StaggerNode& node) const {
        return fmt::format("Stagger over {} ms{}{}: {}", node.millis,
                           node.keys.empty() ? "" : " by ", list(node.keys),
                           list(node.aggregates, node.arguments));
    }
    std::string operator()(const SlideNode& node) const {
        return fmt::format("Slide over {} {}{}{}: {}", node.preceding, node.is_rows ? "rows" : "ms",
                           node.keys.empty() ? "" : " by ", list(node.keys),
                           list(node.aggregates, node.arguments));
    }
    std::string operator()(const ForestNode& node) const {
        return fmt::format("Forest{} of {} columns{}{}: {} trees, sample {}, decay {}, shingle {}",
                           node.has_explanation ? " with explanation" : "", node.columns.size(),
                           node.keys.empty() ? "" : " by ", list(node.keys), node.trees,
                           node.sample, node.time_decay, node.shingle);
    }
    std::string operator()(const HotSpotsNode& node) const {
        return fmt::format("HotSpots of {} columns{}{}: {}, radius {}, minimum {}",
                           node.columns.size(), node.keys.empty() ? "" : " by ", list(node.keys),
                           node.period > 0 ? fmt::format("{} ms", node.period)
                                           : fmt::format("{} rows", node.window),
                           node.radius, node.minimum);
    }
    std::string operator()(const ParseRowNode& node) const {
        return fmt::format("ParseRow {}: {} columns", node.line->describe(), node.parser->size());
    }
    std::string operator()(const ItemsNode& node) const {
        return fmt::format("{} of {} in {} ms",
                           node.top > 0 ? fmt::format("Top {}", node.top) : "Distinct items",
                           node.item->describe(), node.millis);
    }
    std::string operator()(const SortNode& node) const {
        std::string text;
        for (std::size_t i = 0; i < node.keys.size(); ++i)
            text += (i == 0 ? "" : ", ") + node.keys[i]->describe() +
                    (node.is_descending[i] ? " DESC" : "");
        return "Sort by " + text;
    }
    std::string operator()(const TimeSortNode& node) const {
        return fmt::format("Sort by time within {} ms", node.millis);
    }
    std::string operator()(const JoinNode& node) const {
        const bool is_full = node.keeps_left && node.keeps_right;
        return fmt::format("Join {} on {}: {} | {}",
                           is_full            ? "full"
                           : node.keeps_left  ? "left"
                           : node.keeps_right ? "right"
                                              : "inner",
                           condition(node.left_keys, node.right_keys, node.residual.get()),
                           describe_window(node.left), describe_window(node.right));
    }
    std::string operator()(const LookupNode& node) const {
        return fmt::format("Lookup {}{} on {}", print_name(node.name),
                           node.keeps_stream ? " or null" : "",
                           condition(node.stream_keys, node.table_keys, node.residual.get()));
    }
    std::string operator()(const UnionNode&) const { return "Union"; }
    std::string operator()(const GroupChangesNode& node) const {
        return fmt::format("GroupChanges{}{}: {}{}{}{}{}", node.keys.empty() ? "" : " by ",
                           list(node.keys), list(node.aggregates, node.arguments),
                           node.having ? " having " + node.having->describe() : "",
                           node.has_op ? ", with ROW_OP" : "",
                           node.period_millis > 0 ? fmt::format(", every {} ms", node.period_millis)
                                                  : std::string(),
                           node.limits.describe());
    }
    std::string operator()(const RetractNode& node) const {
        return fmt::format("Retract {}{}{}", list(node.expressions),
                           node.predicate ? " where " + node.predicate->describe() : "",
                           node.limits.describe());
    }
    std::string operator()(const TopNNode& node) const {
        return fmt::format("{} of {}{}{} in the order of {}{}{}{}",
                           node.is_over_changes ? "ChangeTopN" : "TopN", node.limit,
                           node.by.empty() ? "" : " by ", node.by, node.in_order,
                           node.has_rank ? ", with rank" : "", node.has_op ? ", with ROW_OP" : "",
                           node.limits.describe());
    }
    std::string operator()(const DistinctNode& node) const {
        return fmt::format("Distinct by {}{}", fmt::join(node.names, ", "), node.limits.describe());
    }
};

}  // namespace

std::string PlanNode::describe() const { return std::visit(Describe(), body); }

std::string PlanNode::describe_tree(std::size_t indent) const {
    std::string text = std::string(indent * 2, ' ') + describe() + "\n";
    for (const auto& input : inputs)
        text += input->describe_tree(indent + 1);
    return text;
}

}  // namespace tidemill::sql

#include "operators/plan/window_columns.h"

namespace tidemill::sql {

bool is_window_function(std::string_view name) {
    return name == "TUMBLE" || name == "HOP" || name == "CUMULATE" || name == "SESSION";
}

std::optional<WindowColumn> window_column(const Expression& key, std::size_t columns) {
    const auto* reference = dynamic_cast<const ColumnReference*>(&key);
    if (reference == nullptr || reference->index() < columns) return std::nullopt;
    return static_cast<WindowColumn>(reference->index() - columns);
}

std::vector<Monotonicity> window_monotonicity(const std::vector<ExpressionPtr>& keys,
                                              const WindowFunction& windows, std::size_t columns) {
    std::vector<Monotonicity> found;
    for (const auto& key : keys) {
        const auto column = window_column(*key, columns);
        if (!column)
            found.push_back(Monotonicity::None);
        else if (*column == WindowColumn::End)
            found.push_back(Monotonicity::Rowtime);
        else if (*column == WindowColumn::Time || windows.kind != WindowKind::Session)
            found.push_back(Monotonicity::Ascending);
        else
            found.push_back(Monotonicity::None);  // sessions end in order, they do not begin so
    }
    return found;
}

WindowGroupNode window_group(WindowFunction windows, std::size_t columns, TumbleNode node) {
    WindowGroupNode group;
    group.windows = std::move(windows);
    for (auto& key : node.keys) {
        group.outputs.push_back(window_column(*key, columns));
        if (!group.outputs.back()) group.keys.push_back(std::move(key));
    }
    group.arguments = std::move(node.arguments);
    group.aggregates = std::move(node.aggregates);
    return group;
}

}  // namespace tidemill::sql

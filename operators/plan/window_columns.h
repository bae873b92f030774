#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "operators/plan/plan.h"

namespace tidemill::sql {

/// Whether it is TUMBLE, HOP, CUMULATE or SESSION.
bool is_window_function(std::string_view name);

/// The columns of the windows, behind `columns` others.
inline constexpr std::string_view kWindowColumns[] = {"WINDOW_START", "WINDOW_END", "WINDOW_TIME"};
std::optional<WindowColumn> window_column(const Expression& key, std::size_t columns);

/// How the keys move in the rows of the groups, whose ROWTIME is the end of their window.
std::vector<Monotonicity> window_monotonicity(const std::vector<ExpressionPtr>& keys,
                                              const WindowFunction& windows, std::size_t columns);

/// The step of a GROUP BY whose keys are bound over `columns` columns and those of the windows.
WindowGroupNode window_group(WindowFunction windows, std::size_t columns, TumbleNode node);

}  // namespace tidemill::sql

#pragma once

#include <cstdint>

#include "operators/plan/plan.h"
#include "operators/vector/time_text.h"

namespace tidemill::sql {

/// One window: [start, end).
struct WindowBounds {
    std::int64_t start, end;
};

/// Calls `visit` for each window that holds the time, the earliest end first. Not for sessions.
template <class F>
void for_each_window(const WindowFunction& windows, std::int64_t time, F&& visit) {
    if (windows.kind == WindowKind::Cumulate) {
        const auto start = floor_div(time, windows.size) * windows.size;
        auto end = start + ((time - start) / windows.slide + 1) * windows.slide;
        for (; end <= start + windows.size; end += windows.slide)
            visit(WindowBounds{start, end});
        return;
    }
    const auto last = floor_div(time, windows.slide) * windows.slide;
    // The first window that ends behind the time.
    auto start = last - (windows.size - 1) / windows.slide * windows.slide;
    for (; start <= last; start += windows.slide)
        if (start + windows.size > time) visit(WindowBounds{start, start + windows.size});
}

/// The next moment after `time` at which the set of windows that hold it changes.
inline std::int64_t next_change(const WindowFunction& windows, std::int64_t time) {
    const auto next = (floor_div(time, windows.slide) + 1) * windows.slide;
    const auto beyond = windows.size % windows.slide;
    if (beyond == 0) return next;
    // Windows also end between two starts.
    const auto end = next - windows.slide + beyond;
    return end > time ? end : next;
}

}  // namespace tidemill::sql

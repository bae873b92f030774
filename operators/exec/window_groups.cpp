#include "operators/exec/window_groups.h"

#include <algorithm>

#include "operators/exec/window_bounds.h"

namespace tidemill::sql {

namespace {

constexpr std::size_t kSpareWindows = 4;

std::vector<Type> types_of(const std::vector<ExpressionPtr>& expressions) {
    std::vector<Type> types;
    for (const auto& expression : expressions)
        types.push_back(expression->type());
    return types;
}

}  // namespace

void append_window_keys(const WindowGroupNode& node, std::int64_t start, std::int64_t end,
                        const std::vector<Column>& keys, std::size_t group, RowBatch& to) {
    std::size_t key = 0;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        if (!node.outputs[i]) {
            to.columns[i].append_from(keys[key++], group);
            continue;
        }
        to.columns[i].append_int(*node.outputs[i] == WindowColumn::Start ? start
                                 : *node.outputs[i] == WindowColumn::End ? end
                                                                         : end - 1);
    }
    to.rowtime.append_int(end);
}

WindowGroups::Window::Window(const WindowGroupNode& node)
    : groups(types_of(node.keys)), aggregates(node.aggregates) {}

WindowGroups::WindowGroups(ExecContext& context, std::string pump, Schema input,
                           WindowGroupNode node, const Schema& output)
    : Operator(context, std::move(pump), "WindowGroups", std::move(input)),
      node_(std::move(node)),
      out_(output) {}

void WindowGroups::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    keys_.clear();
    arguments_.clear();
    for (const auto& key : node_.keys)
        keys_.push_back(&key->evaluate(evaluation, batch.selection));
    for (const auto& argument : node_.arguments)
        arguments_.push_back(&argument->evaluate(evaluation, batch.selection));
    const auto rows = settle(evaluation, batch.selection, settled_);
    // Runs of rows that are in the same windows.
    for (std::size_t from = 0; from < rows.count;) {
        const auto time = batch.rowtime->int_at(rows[from]);
        close_until(time);
        const auto end = next_change(node_.windows, time);
        auto to = from + 1;
        while (to < rows.count && batch.rowtime->int_at(rows[to]) < end)
            ++to;
        add_run(time, rows.sub(from, to - from, run_));
        from = to;
    }
}

WindowGroups::Window& WindowGroups::window_at(std::int64_t start) {
    auto& window = windows_[start];
    if (window) return *window;
    if (spare_.empty()) {
        window = std::make_unique<Window>(node_);
    } else {
        window = std::move(spare_.back());
        spare_.pop_back();
    }
    return *window;
}

void WindowGroups::add_run(std::int64_t time, const Selection& run) {
    const auto add = [&](Window& window) {
        window.groups.find_or_add(keys_, run, group_of_row_);
        window.aggregates.resize(window.groups.size());
        window.aggregates.update(arguments_, run, group_of_row_);
    };
    if (node_.windows.kind == WindowKind::Cumulate) {
        const auto start = floor_div(time, node_.windows.size) * node_.windows.size;
        auto& window = window_at(start);
        if (window.groups.size() == 0)
            window.next_end =
                start + ((time - start) / node_.windows.slide + 1) * node_.windows.slide;
        add(window);
        return;
    }
    for_each_window(node_.windows, time, [&](WindowBounds bounds) {
        auto& window = window_at(bounds.start);
        window.next_end = bounds.end;
        add(window);
    });
}

// Windows start, and so end, in order.
void WindowGroups::close_until(std::int64_t time) {
    while (!windows_.empty() && windows_.begin()->second->next_end <= time) {
        const auto first = windows_.begin();
        auto& window = *first->second;
        emit_window(first->first, window);
        if (node_.windows.kind == WindowKind::Cumulate &&
            window.next_end < first->first + node_.windows.size) {
            window.next_end += node_.windows.slide;
            continue;
        }
        window.groups.clear();
        window.aggregates.clear();
        if (spare_.size() < kSpareWindows) spare_.push_back(std::move(first->second));
        windows_.erase(first);
    }
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
}

void WindowGroups::emit_window(std::int64_t start, const Window& window) {
    for (std::size_t group = 0; group < window.groups.size(); ++group) {
        append_window_keys(node_, start, window.next_end, window.groups.keys(), group, out_);
        window.aggregates.append_results(group, out_, node_.outputs.size());
        if (!out_.is_full()) continue;
        emit(out_.view());
        out_.clear();
    }
}

void WindowGroups::on_bound(std::int64_t bound) {
    close_until(bound);
    pass_bound(bound);
}

void WindowGroups::save(StateWriter& to) const {
    to.put_count(windows_.size());
    for (const auto& [start, window] : windows_) {
        to.put_int(start);
        to.put_int(window->next_end);
        window->groups.snapshot(to);
        window->aggregates.snapshot(to);
    }
}

void WindowGroups::load(StateReader& from) {
    windows_.clear();
    for (auto count = from.take_size(); count > 0 && !from.has_failed(); --count) {
        auto& window = window_at(from.take_int());
        window.next_end = from.take_int();
        window.groups.restore(from);
        window.aggregates.restore(from, window.groups.size());
    }
}

}  // namespace tidemill::sql

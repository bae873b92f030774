#include "operators/exec/session_groups.h"

#include <algorithm>

#include "operators/exec/window_groups.h"

namespace tidemill::sql {

namespace {

/// Closed sessions are swept when they are most of all, but not before there are so many.
constexpr std::size_t kFewestToSweep = 4096;

std::vector<Type> types_of(const std::vector<ExpressionPtr>& expressions) {
    std::vector<Type> types;
    for (const auto& expression : expressions)
        types.push_back(expression->type());
    return types;
}

}  // namespace

SessionGroups::SessionGroups(ExecContext& context, std::string pump, Schema input,
                             WindowGroupNode node, const Schema& output)
    : Operator(context, std::move(pump), "SessionGroups", std::move(input)),
      node_(std::move(node)),
      groups_(types_of(node_.keys)),
      aggregates_(node_.aggregates),
      out_(output) {}

void SessionGroups::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    keys_.clear();
    arguments_.clear();
    for (const auto& key : node_.keys)
        keys_.push_back(&key->evaluate(evaluation, batch.selection));
    for (const auto& argument : node_.arguments)
        arguments_.push_back(&argument->evaluate(evaluation, batch.selection));
    const auto rows = settle(evaluation, batch.selection, settled_);
    // Runs of rows during which no session is looked at, nor one that begins in them can end.
    for (std::size_t from = 0; from < rows.count;) {
        const auto time = batch.rowtime->int_at(rows[from]);
        close_until(time);
        auto end = time + node_.windows.size;
        if (!looks_.empty()) end = std::min(end, looks_.front().at);
        auto to = from + 1;
        while (to < rows.count && batch.rowtime->int_at(rows[to]) < end)
            ++to;
        add_run(batch, rows.sub(from, to - from, run_));
        from = to;
    }
}

void SessionGroups::add_run(const Batch& batch, const Selection& run) {
    if (groups_.is_crowded()) forget_closed();
    groups_.find_or_add(keys_, run, group_of_row_);
    sessions_.resize(groups_.size());
    aggregates_.resize(groups_.size());
    run.for_each([&](std::size_t row) {
        const auto group = group_of_row_[row];
        const auto time = batch.rowtime->int_at(row);
        auto& session = sessions_[group];
        if (!session.is_open) {
            session.is_open = true;
            session.start = time;
            ++open_;
            look_at(group, time + node_.windows.size);
        }
        session.last = time;
    });
    aggregates_.update(arguments_, run, group_of_row_);
}

void SessionGroups::look_at(std::uint32_t group, std::int64_t at) {
    looks_.push_back({at, group});
    std::ranges::push_heap(looks_, std::greater<>());
}

void SessionGroups::close_until(std::int64_t time) {
    while (!looks_.empty() && looks_.front().at <= time) {
        const auto look = looks_.front();
        std::ranges::pop_heap(looks_, std::greater<>());
        looks_.pop_back();
        auto& session = sessions_[look.group];
        const auto end = session.last + node_.windows.size;
        if (end > look.at) {
            look_at(look.group, end);
            continue;
        }
        append_window_keys(node_, session.start, end, groups_.keys(), look.group, out_);
        aggregates_.append_results(look.group, out_, node_.outputs.size());
        aggregates_.reset(look.group);
        session.is_open = false;
        --open_;
        if (!out_.is_full()) continue;
        emit(out_.view());
        out_.clear();
    }
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
    if (groups_.size() >= kFewestToSweep && open_ * 2 < groups_.size()) forget_closed();
}

void SessionGroups::forget_closed() {
    std::vector<std::uint32_t> kept, new_group(groups_.size());
    for (std::uint32_t group = 0; group < groups_.size(); ++group) {
        new_group[group] = static_cast<std::uint32_t>(kept.size());
        if (sessions_[group].is_open) kept.push_back(group);
    }
    groups_.keep(kept);
    aggregates_.keep(kept);
    for (std::size_t i = 0; i < kept.size(); ++i)
        sessions_[i] = sessions_[kept[i]];
    sessions_.resize(kept.size());
    for (auto& look : looks_)
        look.group = new_group[look.group];  // in the same order, so it stays a heap
}

void SessionGroups::on_bound(std::int64_t bound) {
    close_until(bound);
    pass_bound(bound);
}

void SessionGroups::save(StateWriter& to) const {
    groups_.snapshot(to);
    aggregates_.snapshot(to);
    for (const auto& session : sessions_) {
        to.put_bool(session.is_open);
        to.put_int(session.start);
        to.put_int(session.last);
    }
    for (const auto& look : looks_) {
        to.put_int(look.at);
        to.put_count(look.group);
    }
}

void SessionGroups::load(StateReader& from) {
    groups_.restore(from);
    aggregates_.restore(from, groups_.size());
    sessions_.resize(groups_.size());
    open_ = 0;
    for (auto& session : sessions_) {
        session.is_open = from.take_bool();
        session.start = from.take_int();
        session.last = from.take_int();
        open_ += session.is_open ? 1 : 0;
    }
    looks_.resize(open_);
    for (auto& look : looks_) {
        look.at = from.take_int();
        look.group = static_cast<std::uint32_t>(from.take_count());
        if (look.group >= sessions_.size() || !sessions_[look.group].is_open) return from.fail();
    }
    if (!std::ranges::is_heap(looks_, std::greater<>())) from.fail();
}

}  // namespace tidemill::sql

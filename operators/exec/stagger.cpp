#include "operators/exec/stagger.h"

#include <algorithm>

namespace tidemill::sql {

namespace {

std::vector<Type> types_of(const std::vector<ExpressionPtr>& expressions) {
    std::vector<Type> types;
    for (const auto& expression : expressions)
        types.push_back(expression->type());
    return types;
}

}  // namespace

Stagger::Generation::Generation(const StaggerNode& node, std::int64_t its_number)
    : number(its_number), groups(types_of(node.keys)), aggregates(node.aggregates) {}

Stagger::Stagger(ExecContext& context, std::string pump, Schema input, StaggerNode node,
                 const Schema& output)
    : Operator(context, std::move(pump), "Stagger", std::move(input)),
      node_(std::move(node)),
      out_(output) {}

std::int64_t Stagger::number_of(std::int64_t time) const {
    return time / node_.millis - (time % node_.millis < 0 ? 1 : 0);
}

std::int64_t Stagger::next_end() const {
    for (const auto& generation : generations_)
        if (generation.closed < generation.opened.size())
            return generation.opened[generation.closed] + node_.millis;
    return kEndOfTime;
}

void Stagger::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    keys_.clear();
    arguments_.clear();
    for (const auto& key : node_.keys)
        keys_.push_back(&key->evaluate(evaluation, batch.selection));
    for (const auto& argument : node_.arguments)
        arguments_.push_back(&argument->evaluate(evaluation, batch.selection));
    const auto rows = settle(evaluation, batch.selection, settled_);
    // Runs of rows in which no window ends and that open theirs in one generation.
    for (std::size_t from = 0; from < rows.count;) {
        const auto time = batch.rowtime->int_at(rows[from]);
        close_until(time);
        const auto number = number_of(time);
        const auto end = std::min(next_end(), (number + 1) * node_.millis);
        std::size_t to = from + 1;
        while (to < rows.count && batch.rowtime->int_at(rows[to]) < end &&
               batch.rowtime->int_at(rows[to]) < time + node_.millis)
            ++to;
        while (!generations_.empty() && generations_.front().number < number - 1)
            generations_.pop_front();
        if (generations_.empty() || generations_.back().number != number)
            generations_.emplace_back(node_, number);
        add_run(batch, rows.sub(from, to - from, run_));
        from = to;
    }
}

void Stagger::add_run(const Batch& batch, const Selection& run) {
    auto& now = generations_.back();
    Selection rest = run;
    if (generations_.size() > 1) {
        auto& before = generations_.front();
        before.groups.find(keys_, run, group_of_row_);
        known_.clear();
        fresh_.clear();
        run.for_each([&](std::size_t row) {
            const auto group = group_of_row_[row];
            const bool is_open = group != GroupTable::kNoGroup && group >= before.closed;
            (is_open ? known_ : fresh_).push_back(static_cast<RowIndex>(row));
        });
        add(before, Selection::of(known_));
        rest = Selection::of(fresh_);
    }
    now.groups.find_or_add(keys_, rest, group_of_row_);
    rest.for_each([&](std::size_t row) {
        if (group_of_row_[row] == now.opened.size())
            now.opened.push_back(batch.rowtime->int_at(row));
    });
    add(now, rest);
}

void Stagger::add(Generation& to, const Selection& rows) {
    if (rows.count == 0) return;
    to.aggregates.resize(to.groups.size());
    to.aggregates.update(arguments_, rows, group_of_row_);
}

void Stagger::close_one() {
    for (auto& generation : generations_) {
        if (generation.closed == generation.opened.size()) continue;
        const auto group = generation.closed++;
        const auto key_count = node_.keys.size();
        for (std::size_t k = 0; k < key_count; ++k)
            out_.columns[k].append_from(generation.groups.keys()[k], group);
        generation.aggregates.append_results(group, out_, key_count);
        out_.rowtime.append_int(generation.opened[group] + node_.millis);
        return;
    }
}

void Stagger::close_until(std::int64_t time) {
    for (auto end = next_end(); end != kEndOfTime && end <= time; end = next_end()) {
        close_one();
        if (out_.is_full()) {
            emit(out_.view());
            out_.clear();
        }
    }
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
}

void Stagger::on_bound(std::int64_t bound) {
    close_until(bound);
    // What is open ends at or after the bound, and so does what opens from now on.
    pass_bound(bound);
}

void Stagger::save(StateWriter& to) const {
    to.put_count(generations_.size());
    for (const auto& generation : generations_) {
        to.put_int(generation.number);
        generation.groups.snapshot(to);
        generation.aggregates.snapshot(to);
        to.put_count(generation.opened.size());
        for (const auto time : generation.opened)
            to.put_int(time);
        to.put_count(generation.closed);
    }
}

void Stagger::load(StateReader& from) {
    generations_.clear();
    for (auto count = from.take_size(); count > 0 && !from.has_failed(); --count) {
        auto& generation = generations_.emplace_back(node_, from.take_int());
        generation.groups.restore(from);
        generation.aggregates.restore(from, generation.groups.size());
        generation.opened.resize(from.take_size());
        for (auto& time : generation.opened)
            time = from.take_int();
        generation.closed = from.take_count();
        if (generation.opened.size() != generation.groups.size() ||
            generation.closed > generation.opened.size())
            return from.fail();
    }
}

}  // namespace tidemill::sql

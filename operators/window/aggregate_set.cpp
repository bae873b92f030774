#include "operators/window/aggregate_set.h"

#include <algorithm>

namespace tidemill::sql {

AggregateSet::AggregateSet(std::span<const AggregateCall> calls)
    : calls_(calls.begin(), calls.end()) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
        const auto& call = calls_[i];
        aggregates_.push_back(make_group_aggregate(call));
        if (call.filter &&
            std::ranges::find(filters_, *call.filter, &Filter::argument) == filters_.end())
            filters_.push_back({*call.filter, {}});
        if (!call.is_distinct || call.takes_back) continue;
        const auto shared = std::ranges::find_if(distinct_, [&](const Distinct& other) {
            return other.argument == call.argument &&
                   other.members.size() < DistinctValues::kMembersMax;
        });
        auto& distinct = shared == distinct_.end()
                             ? distinct_.emplace_back(call.argument, call.parameter)
                             : *shared;
        distinct.members.push_back({i, {}});
    }
}

void AggregateSet::resize(std::size_t count) {
    for (auto& aggregate : aggregates_)
        aggregate->resize(count);
    for (auto& distinct : distinct_)
        distinct.values.resize(count);
}

Selection AggregateSet::filtered(const AggregateCall& call, const Selection& rows) const {
    if (!call.filter) return rows;
    return Selection::of(std::ranges::find(filters_, *call.filter, &Filter::argument)->rows);
}

void AggregateSet::apply_filters(std::span<const Column* const> arguments, const Selection& rows) {
    for (auto& filter : filters_) {
        const auto& condition = *arguments[filter.argument];
        filter.rows.resize(rows.count);
        std::size_t count = 0;
        rows.for_each([&](std::size_t row) {
            filter.rows[count] = static_cast<RowIndex>(row);
            count += condition.bool_at(row) && !condition.is_null(row) ? 1 : 0;
        });
        filter.rows.resize(count);
    }
}

void AggregateSet::retract(std::span<const Column* const> arguments, const Selection& rows,
                           const std::vector<std::uint32_t>& groups) {
    if (rows.count == 0) return;
    apply_filters(arguments, rows);
    for (std::size_t i = 0; i < calls_.size(); ++i)
        aggregates_[i]->retract(
            calls_[i].kind == AggregateKind::CountAll ? nullptr : arguments[calls_[i].argument],
            filtered(calls_[i], rows), groups);
}

void AggregateSet::update(std::span<const Column* const> arguments, const Selection& rows,
                          const std::vector<std::uint32_t>& groups) {
    if (rows.count == 0) return;
    apply_filters(arguments, rows);
    for (std::size_t i = 0; i < calls_.size(); ++i) {
        const auto& call = calls_[i];
        if (call.is_distinct && !call.takes_back) continue;
        aggregates_[i]->update(
            call.kind == AggregateKind::CountAll ? nullptr : arguments[call.argument],
            filtered(call, rows), groups);
    }
    for (auto& distinct : distinct_)
        update_distinct(distinct, arguments, rows, groups);
}

void AggregateSet::update_distinct(Distinct& distinct, std::span<const Column* const> arguments,
                                   const Selection& rows,
                                   const std::vector<std::uint32_t>& groups) {
    const auto slots = rows[rows.count - 1] + 1;
    wanted_.assign(slots, 0);
    fresh_.resize(std::max(fresh_.size(), slots));
    std::uint32_t bit = 1;
    for (const auto& member : distinct.members) {
        filtered(calls_[member.call], rows).for_each([&](std::size_t row) { wanted_[row] |= bit; });
        bit <<= 1;
    }
    const auto& values = *arguments[distinct.argument];
    distinct.values.add(values, rows, groups, wanted_, fresh_);
    for (auto& member : distinct.members)
        member.rows.clear();
    rows.for_each([&](std::size_t row) {
        for (auto left = fresh_[row]; left != 0; left &= left - 1)
            distinct.members[static_cast<std::size_t>(std::countr_zero(left))].rows.push_back(
                static_cast<RowIndex>(row));
    });
    for (const auto& member : distinct.members)
        aggregates_[member.call]->update(&values, Selection::of(member.rows), groups);
}

void AggregateSet::append_results(std::size_t group, RowBatch& to, std::size_t first) const {
    for (std::size_t i = 0; i < aggregates_.size(); ++i)
        aggregates_[i]->append_result(group, to.columns[first + i]);
}

std::size_t AggregateSet::distinct_values() const {
    std::size_t count = 0;
    for (const auto& distinct : distinct_)
        count += distinct.values.size();
    return count;
}

std::size_t AggregateSet::would_grow(std::span<const Column* const> arguments, std::size_t row,
                                     std::uint32_t group) {
    std::size_t count = 0;
    for (auto& distinct : distinct_) {
        const auto counts = [&](const Member& member) {
            const auto& filter = calls_[member.call].filter;
            return !filter ||
                   (!arguments[*filter]->is_null(row) && arguments[*filter]->bool_at(row));
        };
        if (std::ranges::any_of(distinct.members, counts) &&
            distinct.values.would_grow(*arguments[distinct.argument], row, group))
            ++count;
    }
    return count;
}

void AggregateSet::reset(std::size_t group) {
    for (auto& aggregate : aggregates_)
        aggregate->reset(group);
    for (auto& distinct : distinct_)
        distinct.values.reset(group);
}

void AggregateSet::keep(std::span<const std::uint32_t> groups) {
    for (auto& aggregate : aggregates_)
        aggregate->keep(groups);
    for (auto& distinct : distinct_)
        distinct.values.keep(groups);
}

void AggregateSet::clear() {
    for (auto& aggregate : aggregates_)
        aggregate->clear();
    for (auto& distinct : distinct_)
        distinct.values.clear();
}

void AggregateSet::snapshot(StateWriter& to) const {
    for (const auto& aggregate : aggregates_)
        aggregate->snapshot(to);
    for (const auto& distinct : distinct_)
        distinct.values.snapshot(to);
}

void AggregateSet::restore(StateReader& from, std::size_t count) {
    for (auto& aggregate : aggregates_)
        aggregate->restore(from, count);
    for (auto& distinct : distinct_)
        distinct.values.restore(from, count, distinct.members.size());
}

}  // namespace tidemill::sql

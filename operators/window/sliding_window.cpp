#include "operators/window/sliding_window.h"

#include "engine/base/check.h"

namespace tidemill::sql {

SlidingWindow::SlidingWindow(const std::vector<AggregateCall>& calls, std::size_t argument_count)
    : calls_(calls), argument_count_(argument_count) {
    TM_CHECK(argument_count <= kMaxWindowArguments, "{} arguments in one window", argument_count);
    for (const auto& call : calls)
        states_.emplace_back(call);
}

void SlidingWindow::add(std::span<const Column* const> arguments, std::size_t row,
                        std::int64_t time, std::int64_t horizon, std::uint64_t max_rows) {
    while (!rows_.empty() && (rows_.front().time < horizon || rows_.size() >= max_rows))
        evict_first();
    Row kept{time, {}, 0};
    kept.bits.reserve(argument_count_);
    for (std::size_t i = 0; i < argument_count_; ++i) {
        const bool is_null = arguments[i]->is_null(row);
        kept.nulls |= std::uint64_t{is_null ? 1u : 0u} << i;
        kept.bits.push_back(is_null ? 0 : arguments[i]->int_at(row));
    }
    rows_.push_back(std::move(kept));
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const bool is_count_all = calls_[i].kind == AggregateKind::CountAll;
        states_[i].add(is_count_all ? nullptr : arguments[calls_[i].argument], row, next_sequence_,
                       time);
    }
    ++next_sequence_;
}

void SlidingWindow::evict_first() {
    const auto& row = rows_.front();
    const auto sequence = next_sequence_ - rows_.size();
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const auto argument = calls_[i].argument;
        if (calls_[i].kind == AggregateKind::CountAll)
            states_[i].evict(false, 0, sequence);
        else
            states_[i].evict((row.nulls >> argument & 1) != 0, row.bits[argument], sequence);
    }
    rows_.pop_front();
}

void SlidingWindow::append_results(std::span<Column> to) const {
    for (std::size_t i = 0; i < states_.size(); ++i)
        states_[i].append_result(to[i]);
}

void SlidingWindow::save(StateWriter& to) const {
    to.put_count(next_sequence_);
    to.put_count(rows_.size());
    for (const auto& row : rows_) {
        to.put_int(row.time);
        to.put_count(row.nulls);
        for (const auto bits : row.bits)
            to.put_int(bits);
    }
    for (const auto& state : states_)
        state.save(to);
}

void SlidingWindow::load(StateReader& from) {
    next_sequence_ = from.take_count();
    rows_.resize(from.take_size(9));
    for (auto& row : rows_) {
        row.time = from.take_int();
        row.nulls = from.take_count();
        row.bits.resize(argument_count_);
        for (auto& bits : row.bits)
            bits = from.take_int();
    }
    if (next_sequence_ < rows_.size()) from.fail();
    for (auto& state : states_)
        state.load(from);
}

}  // namespace tidemill::sql

#include "operators/window/sliding_state.h"

#include <bit>
#include <cmath>

namespace tidemill::sql {

bool SlidingState::is_beaten(const Candidate& old, const Column& argument, std::size_t row) const {
    const bool is_max = call_.kind == AggregateKind::Max;
    switch (argument.type().storage()) {
        case Storage::Text:
            return is_max ? old.text <= argument.text_at(row) : old.text >= argument.text_at(row);
        case Storage::Double: {
            const double a = std::bit_cast<double>(old.bits), b = argument.double_at(row);
            return is_max ? a <= b : a >= b;
        }
        default:
            return is_max ? old.bits <= argument.int_at(row) : old.bits >= argument.int_at(row);
    }
}

void SlidingState::add(const Column* argument, std::size_t row, std::uint64_t sequence,
                       std::int64_t time) {
    if (call_.kind == AggregateKind::ExpAvg) average_.age(time);
    if (argument == nullptr) {
        ++count_;
        return;
    }
    if (is_of_one_row(call_.kind)) {
        last_sequence_ = sequence;
        const bool is_null = argument->is_null(row);
        if (is_null && call_.ignores_nulls) return;
        const bool is_text = argument->type().storage() == Storage::Text;
        candidates_.push_back(
            {sequence, is_null || is_text ? 0 : argument->int_at(row),
             !is_null && is_text ? std::string(argument->text_at(row)) : std::string(), is_null});
        return;
    }
    if (argument->is_null(row)) return;
    ++count_;
    if (is_extreme()) {
        while (!candidates_.empty() && is_beaten(candidates_.back(), *argument, row))
            candidates_.pop_back();
        const bool is_text = argument->type().storage() == Storage::Text;
        candidates_.push_back({sequence, is_text ? 0 : argument->int_at(row),
                               is_text ? std::string(argument->text_at(row)) : std::string(),
                               false});
    } else if (call_.kind == AggregateKind::ExpAvg) {
        const double value = argument->double_at(row);
        specials_ += std::isfinite(value) ? 0 : 1;
        average_.add(time, std::isfinite(value) ? value : 0);
    } else if (call_.parameter.storage() == Storage::Double) {
        add_number(argument->double_at(row), 1);
    } else if (adds_up()) {
        exact_ += argument->int_at(row);
    }
}

void SlidingState::evict(bool is_null, std::int64_t bits, std::uint64_t sequence) {
    if (is_of_one_row(call_.kind)) {
        if (!candidates_.empty() && candidates_.front().sequence == sequence)
            candidates_.pop_front();
        return;
    }
    if (is_null) return;
    --count_;
    if (is_extreme()) {
        if (!candidates_.empty() && candidates_.front().sequence == sequence)
            candidates_.pop_front();
    } else if (call_.kind == AggregateKind::ExpAvg) {
        specials_ -= std::isfinite(std::bit_cast<double>(bits)) ? 0 : 1;
        average_.evict_first();
    } else if (call_.parameter.storage() == Storage::Double) {
        add_number(std::bit_cast<double>(bits), -1);
    } else if (adds_up()) {
        exact_ -= bits;
    }
}

void SlidingState::add_number(double x, int sign) {
    if (!std::isfinite(x)) {
        specials_ += sign;
        return;
    }
    if (call_.kind != AggregateKind::Sum && call_.kind != AggregateKind::Avg) {
        if (sign > 0)
            moments_.add(x);
        else
            moments_.remove(x);
        return;
    }
    const double signed_x = sign * x, sum = sum_ + signed_x;
    lost_ +=
        std::fabs(sum_) >= std::fabs(signed_x) ? (sum_ - sum) + signed_x : (signed_x - sum) + sum_;
    sum_ = sum;
    // An empty window forgets the rounding of what passed through it.
    if (count_ == 0) sum_ = lost_ = 0;
}

const SlidingState::Candidate* SlidingState::row_of_value() const {
    const auto size = static_cast<std::int64_t>(candidates_.size());
    std::int64_t at = 0;
    switch (call_.kind) {
        case AggregateKind::LastValue:
            at = size - 1;
            break;
        case AggregateKind::NthValue:
            at = call_.is_from_last ? size - call_.offset : call_.offset - 1;
            break;
        case AggregateKind::Lag: {
            // The current row may not count, being NULL.
            const bool has_current = size > 0 && candidates_.back().sequence == last_sequence_;
            if (!has_current && call_.offset == 0) return nullptr;
            at = size - (has_current ? 1 : 0) - call_.offset;
            break;
        }
        default:
            break;
    }
    return at < 0 || at >= size ? nullptr : &candidates_[static_cast<std::size_t>(at)];
}

void SlidingState::append_result(Column& to) const {
    if (is_of_one_row(call_.kind)) {
        const auto* row = row_of_value();
        if (row == nullptr) {
            if (call_.kind == AggregateKind::Lag) return to.append_value(call_.otherwise);
            return to.append_null();
        }
        if (row->is_null) return to.append_null();
        if (to.type().storage() == Storage::Text) return to.append_text(row->text);
        return to.append_int(row->bits);
    }
    if (call_.kind == AggregateKind::CountAll || call_.kind == AggregateKind::Count)
        return to.append_int(count_);
    if (count_ == 0) return to.append_null();
    if (is_extreme()) {
        const auto& best = candidates_.front();
        if (to.type().storage() == Storage::Text) return to.append_text(best.text);
        return to.append_int(best.bits);
    }
    if (call_.kind == AggregateKind::Any) return to.append_bool(exact_ > 0);
    if (call_.kind == AggregateKind::Every) return to.append_bool(exact_ == count_);
    if (call_.parameter.storage() != Storage::Double) {
        const auto low = static_cast<std::int64_t>(exact_);
        if (low != exact_) return to.append_null();
        return to.append_int(low);
    }
    if (specials_ > 0) return to.append_double(NAN);
    if (call_.kind == AggregateKind::ExpAvg) return to.append_double(average_.result());
    if (call_.kind == AggregateKind::Sum) return to.append_double(sum_ + lost_);
    if (call_.kind == AggregateKind::Avg)
        return to.append_double((sum_ + lost_) / static_cast<double>(count_));
    double value = 0;
    if (moments_.result(call_.kind, value))
        to.append_double(value);
    else
        to.append_null();
}

void SlidingState::save(StateWriter& to) const {
    to.put_int(count_);
    to.put_int(specials_);
    to.put_int(static_cast<std::int64_t>(exact_));
    to.put_int(static_cast<std::int64_t>(exact_ >> 64));
    for (const double x : {sum_, lost_, moments_.mean, moments_.squares})
        to.put_double(x);
    to.put_int(moments_.count);
    to.put_count(candidates_.size());
    for (const auto& candidate : candidates_) {
        to.put_count(candidate.sequence);
        to.put_int(candidate.bits);
        to.put_text(candidate.text);
        to.put_bool(candidate.is_null);
    }
    to.put_count(last_sequence_);
    if (call_.kind == AggregateKind::ExpAvg) average_.save(to);
}

void SlidingState::load(StateReader& from) {
    count_ = from.take_int();
    specials_ = from.take_int();
    const auto low = static_cast<std::uint64_t>(from.take_int());
    exact_ = (static_cast<wide>(from.take_int()) << 64) | static_cast<wide>(low);
    for (double* x : {&sum_, &lost_, &moments_.mean, &moments_.squares})
        *x = from.take_double();
    moments_.count = from.take_int();
    candidates_.resize(from.take_size(10));
    for (auto& candidate : candidates_) {
        candidate.sequence = from.take_count();
        candidate.bits = from.take_int();
        candidate.text = from.take_text();
        candidate.is_null = from.take_bool();
    }
    last_sequence_ = from.take_count();
    if (call_.kind == AggregateKind::ExpAvg) average_.load(from);
    if (is_extreme() && count_ > 0 && candidates_.empty()) from.fail();
}

}  // namespace tidemill::sql

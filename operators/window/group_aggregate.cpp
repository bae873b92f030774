#include "operators/window/group_aggregate.h"

#include "engine/base/check.h"
#include "operators/window/counted_values.h"
#include "operators/window/moments.h"

namespace tidemill::sql {

namespace {

template <class F>
void for_each_value(const Column& argument, const Selection& rows, F&& visit) {
    if (!argument.has_nulls()) return rows.for_each(visit);
    rows.for_each([&](std::size_t row) {
        if (!argument.is_null(row)) visit(row);
    });
}

template <class State>
void keep_states(std::vector<State>& states, std::span<const std::uint32_t> groups) {
    for (std::size_t i = 0; i < groups.size(); ++i)
        if (groups[i] != i) states[i] = std::move(states[groups[i]]);
    states.resize(groups.size());
}

class CountAggregate final : public GroupAggregate {
 public:
    void resize(std::size_t count) override { counts_.resize(count); }
    void update(const Column* argument, const Selection& rows,
                const std::vector<std::uint32_t>& groups) override {
        const auto add = [&](std::size_t row) { ++counts_[groups[row]]; };
        if (argument == nullptr)
            rows.for_each(add);
        else
            for_each_value(*argument, rows, add);
    }
    void retract(const Column* argument, const Selection& rows,
                 const std::vector<std::uint32_t>& groups) override {
        const auto take = [&](std::size_t row) { --counts_[groups[row]]; };
        if (argument == nullptr)
            rows.for_each(take);
        else
            for_each_value(*argument, rows, take);
    }
    void append_result(std::size_t group, Column& to) const override {
        to.append_int(counts_[group]);
    }
    void reset(std::size_t group) override { counts_[group] = 0; }
    void keep(std::span<const std::uint32_t> groups) override { keep_states(counts_, groups); }
    void clear() override { counts_.clear(); }
    void snapshot(StateWriter& to) const override {
        for (const auto count : counts_)
            to.put_int(count);
    }
    void restore(StateReader& from, std::size_t count) override {
        counts_.resize(count);
        for (auto& value : counts_)
            value = from.take_int();
    }

 private:
    std::vector<std::int64_t> counts_;
};

// Integers, decimals and intervals: 128 bits cannot overflow before the count of rows does.
class ExactSum final : public GroupAggregate {
 public:
    void resize(std::size_t count) override { states_.resize(count); }
    void update(const Column* argument, const Selection& rows,
                const std::vector<std::uint32_t>& groups) override {
        for_each_value(*argument, rows, [&](std::size_t row) {
            auto& state = states_[groups[row]];
            state.sum += argument->int_at(row);
            ++state.count;
        });
    }
    void retract(const Column* argument, const Selection& rows,
                 const std::vector<std::uint32_t>& groups) override {
        for_each_value(*argument, rows, [&](std::size_t row) {
            auto& state = states_[groups[row]];
            state.sum -= argument->int_at(row);
            --state.count;
        });
    }
    void append_result(std::size_t group, Column& to) const override {
        const auto& state = states_[group];
        const auto low = static_cast<std::int64_t>(state.sum);
        if (state.count == 0 || state.sum != low)
            to.append_null();
        else
            to.append_int(low);
    }
    void reset(std::size_t group) override { states_[group] = {}; }
    void keep(std::span<const std::uint32_t> groups) override { keep_states(states_, groups); }
    void clear() override { states_.clear(); }
    void snapshot(StateWriter& to) const override {
        for (const auto& state : states_) {
            to.put_int(static_cast<std::int64_t>(state.sum));
            to.put_int(static_cast<std::int64_t>(state.sum >> 64));
            to.put_int(state.count);
        }
    }
    void restore(StateReader& from, std::size_t count) override {
        states_.resize(count);
        for (auto& state : states_) {
            const auto low = static_cast<std::uint64_t>(from.take_int());
            state.sum = (static_cast<wide>(from.take_int()) << 64) | static_cast<wide>(low);
            state.count = from.take_int();
        }
    }

 private:
    __extension__ using wide = __int128;
    struct State {
        wide sum = 0;
        std::int64_t count = 0;
    };
    std::vector<State> states_;
};

// ANY and EVERY.
class BooleanAggregate final : public GroupAggregate {
 public:
    explicit BooleanAggregate(bool is_every) : is_every_(is_every) {}
    void resize(std::size_t count) override { states_.resize(count); }
    void update(const Column* argument, const Selection& rows,
                const std::vector<std::uint32_t>& groups) override {
        for_each_value(*argument, rows, [&](std::size_t row) {
            auto& state = states_[groups[row]];
            ++(argument->bool_at(row) ? state.trues : state.falses);
        });
    }
    void retract(const Column* argument, const Selection& rows,
                 const std::vector<std::uint32_t>& groups) override {
        for_each_value(*argument, rows, [&](std::size_t row) {
            auto& state = states_[groups[row]];
            --(argument->bool_at(row) ? state.trues : state.falses);
        });
    }
    void append_result(std::size_t group, Column& to) const override {
        const auto& state = states_[group];
        if (state.trues == 0 && state.falses == 0) return to.append_null();
        to.append_bool(is_every_ ? state.falses == 0 : state.trues > 0);
    }
    void reset(std::size_t group) override { states_[group] = {}; }
    void keep(std::span<const std::uint32_t> groups) override { keep_states(states_, groups); }
    void clear() override { states_.clear(); }
    void snapshot(StateWriter& to) const override {
        for (const auto& state : states_)
            to.put_int(state.trues), to.put_int(state.falses);
    }
    void restore(StateReader& from, std::size_t count) override {
        states_.resize(count);
        for (auto& state : states_) {
            state.trues = from.take_int();
            state.falses = from.take_int();
        }
    }

 private:
    struct State {
        std::int64_t trues = 0, falses = 0;
    };
    bool is_every_;
    std::vector<State> states_;
};

// Compensated, so that the order of magnitude of the parts does not matter much.
// Source: Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974.
class DoubleSum final : public GroupAggregate {
 public:
    explicit DoubleSum(bool is_mean = false) : is_mean_(is_mean) {}
    void resize(std::size_t count) override { states_.resize(count); }
    void update(const Column* argument, const Selection& rows,
                const std::vector<std::uint32_t>& groups) override {
        for_each_value(*argument, rows, [&](std::size_t row) {
            auto& state = states_[groups[row]];
            state.add(argument->double_at(row));
            ++state.count;
        });
    }
    void retract(const Column* argument, const Selection& rows,
                 const std::vector<std::uint32_t>& groups) override {
        for_each_value(*argument, rows, [&](std::size_t row) {
            auto& state = states_[groups[row]];
            state.add(-argument->double_at(row));
            if (--state.count == 0) state = {};
        });
    }
    void append_result(std::size_t group, Column& to) const override {
        const auto& state = states_[group];
        if (state.count == 0) return to.append_null();
        const double sum = std::isfinite(state.sum) ? state.sum + state.lost : state.sum;
        to.append_double(is_mean_ ? sum / static_cast<double>(state.count) : sum);
    }
    void reset(std::size_t group) override { states_[group] = {}; }
    void keep(std::span<const std::uint32_t> groups) override { keep_states(states_, groups); }
    void clear() override { states_.clear(); }
    void snapshot(StateWriter& to) const override {
        for (const auto& state : states_)
            to.put_double(state.sum), to.put_double(state.lost), to.put_int(state.count);
    }
    void restore(StateReader& from, std::size_t count) override {
        states_.resize(count);
        for (auto& state : states_) {
            state.sum = from.take_double();
            state.lost = from.take_double();
            state.count = from.take_int();
        }
    }

 private:
    struct State {
        double sum = 0, lost = 0;
        std::int64_t count = 0;

        void add(double x) {
            const double total = sum + x;
            lost += std::fabs(sum) >= std::fabs(x) ? (sum - total) + x : (x - total) + sum;
            sum = total;
        }
    };
    bool is_mean_;
    std::vector<State> states_;
};

class MomentsAggregate final : public GroupAggregate {
 public:
    explicit MomentsAggregate(AggregateKind kind) : kind_(kind) {}
    void resize(std::size_t count) override { states_.resize(count); }
    void update(const Column* argument, const Selection& rows,
                const std::vector<std::uint32_t>& groups) override {
        for_each_value(*argument, rows, [&](std::size_t row) {
            states_[groups[row]].add(argument->double_at(row));
        });
    }
    void retract(const Column* argument, const Selection& rows,
                 const std::vector<std::uint32_t>& groups) override {
        for_each_value(*argument, rows, [&](std::size_t row) {
            states_[groups[row]].remove(argument->double_at(row));
        });
    }
    void append_result(std::size_t group, Column& to) const override {
        double value = 0;
        if (states_[group].result(kind_, value))
            to.append_double(value);
        else
            to.append_null();
    }
    void reset(std::size_t group) override { states_[group] = {}; }
    void keep(std::span<const std::uint32_t> groups) override { keep_states(states_, groups); }
    void clear() override { states_.clear(); }
    void snapshot(StateWriter& to) const override {
        for (const auto& state : states_)
            to.put_int(state.count), to.put_double(state.mean), to.put_double(state.squares);
    }
    void restore(StateReader& from, std::size_t count) override {
        states_.resize(count);
        for (auto& state : states_) {
            state.count = from.take_int();
            state.mean = from.take_double();
            state.squares = from.take_double();
        }
    }

 private:
    AggregateKind kind_;
    std::vector<Moments> states_;
};

// Smallest or largest value so far, one row a group in a column; texts are kept beside it.
class ExtremeAggregate final : public GroupAggregate {
 public:
    ExtremeAggregate(bool is_max, Type type) : is_max_(is_max), type_(type) {}
    void resize(std::size_t count) override { states_.resize(count); }
    void update(const Column* argument, const Selection& rows,
                const std::vector<std::uint32_t>& groups) override {
        for_each_value(*argument, rows, [&](std::size_t row) {
            auto& state = states_[groups[row]];
            if (state.has_value && !is_better(*argument, row, state)) return;
            state.has_value = true;
            if (type_.storage() == Storage::Text)
                state.text = argument->text_at(row);
            else
                state.bits = argument->int_at(row);
        });
    }
    void append_result(std::size_t group, Column& to) const override {
        const auto& state = states_[group];
        if (!state.has_value)
            to.append_null();
        else if (type_.storage() == Storage::Text)
            to.append_text(state.text);
        else
            to.append_int(state.bits);
    }
    void reset(std::size_t group) override { states_[group] = {}; }
    void keep(std::span<const std::uint32_t> groups) override { keep_states(states_, groups); }
    void clear() override { states_.clear(); }
    void snapshot(StateWriter& to) const override {
        for (const auto& state : states_)
            to.put_bool(state.has_value), to.put_int(state.bits), to.put_text(state.text);
    }
    void restore(StateReader& from, std::size_t count) override {
        states_.resize(count);
        for (auto& state : states_) {
            state.has_value = from.take_bool();
            state.bits = from.take_int();
            state.text = from.take_text();
        }
    }

 private:
    struct State {
        bool has_value = false;
        std::int64_t bits = 0;
        std::string text;
    };
    bool is_better(const Column& argument, std::size_t row, const State& state) const {
        switch (type_.storage()) {
            case Storage::Text:
                return is_max_ ? argument.text_at(row) > state.text
                               : argument.text_at(row) < state.text;
            case Storage::Double: {
                const double x = argument.double_at(row), best = std::bit_cast<double>(state.bits);
                return is_max_ ? x > best : x < best;
            }
            default:
                return is_max_ ? argument.int_at(row) > state.bits
                               : argument.int_at(row) < state.bits;
        }
    }

    bool is_max_;
    Type type_;
    std::vector<State> states_;
};

}  // namespace

void GroupAggregate::retract(const Column*, const Selection&, const std::vector<std::uint32_t>&) {
    TM_CHECK(false, "an aggregate that cannot take rows back");
}

std::unique_ptr<GroupAggregate> make_group_aggregate(const AggregateCall& call) {
    const bool is_extreme = call.kind == AggregateKind::Min || call.kind == AggregateKind::Max;
    if (call.takes_back && (is_extreme || call.is_distinct)) return make_counted_aggregate(call);
    // A mean that is moved back and forth drifts; a compensated sum does not.
    if (call.takes_back && call.kind == AggregateKind::Avg)
        return std::make_unique<DoubleSum>(true);
    switch (call.kind) {
        case AggregateKind::CountAll:
        case AggregateKind::Count:
            return std::make_unique<CountAggregate>();
        case AggregateKind::Sum:
            if (call.parameter.storage() == Storage::Double) return std::make_unique<DoubleSum>();
            return std::make_unique<ExactSum>();
        case AggregateKind::Min:
            return std::make_unique<ExtremeAggregate>(false, call.parameter);
        case AggregateKind::Max:
            return std::make_unique<ExtremeAggregate>(true, call.parameter);
        case AggregateKind::Any:
        case AggregateKind::Every:
            return std::make_unique<BooleanAggregate>(call.kind == AggregateKind::Every);
        default:
            return std::make_unique<MomentsAggregate>(call.kind);
    }
}

}  // namespace tidemill::sql

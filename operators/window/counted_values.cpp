#include "operators/window/counted_values.h"

namespace tidemill::sql {

bool CountedValues::add(const Column& column, std::size_t row, std::size_t group) {
    const Column* columns[] = {&column};
    order_.encode(columns, row, key_);
    auto& entry = groups_[group][key_];
    if (entry.count++ > 0) return false;
    if (type_.storage() == Storage::Text)
        entry.text = column.text_at(row);
    else
        entry.bits = column.int_at(row);
    return true;
}

bool CountedValues::remove(const Column& column, std::size_t row, std::size_t group) {
    const Column* columns[] = {&column};
    order_.encode(columns, row, key_);
    const auto found = groups_[group].find(key_);
    if (found == groups_[group].end() || --found->second.count > 0) return false;
    groups_[group].erase(found);
    return true;
}

void CountedValues::keep(std::span<const std::uint32_t> groups) {
    for (std::size_t i = 0; i < groups.size(); ++i)
        if (groups[i] != i) groups_[i] = std::move(groups_[groups[i]]);
    groups_.resize(groups.size());
}

void CountedValues::snapshot(StateWriter& to) const {
    for (const auto& values : groups_) {
        to.put_count(values.size());
        for (const auto& [key, entry] : values) {
            to.put_text(key);
            to.put_int(entry.count);
            to.put_int(entry.bits);
            to.put_text(entry.text);
        }
    }
}

void CountedValues::restore(StateReader& from, std::size_t count) {
    groups_.assign(count, {});
    for (auto& values : groups_)
        for (auto left = from.take_size(); left > 0 && !from.has_failed(); --left) {
            std::string key(from.take_text());
            auto& entry = values[std::move(key)];
            entry.count = from.take_int();
            entry.bits = from.take_int();
            entry.text = from.take_text();
            if (entry.count < 1 || entry.count > INT64_MAX / 2) from.fail();
        }
}

namespace {

class CountedExtreme final : public GroupAggregate {
 public:
    CountedExtreme(bool is_max, const Type& type)
        : is_max_(is_max), is_text_(type.storage() == Storage::Text), values_(type) {}
    void resize(std::size_t count) override { values_.resize(count); }
    void update(const Column* argument, const Selection& rows,
                const std::vector<std::uint32_t>& groups) override {
        rows.for_each([&](std::size_t row) {
            if (!argument->is_null(row)) values_.add(*argument, row, groups[row]);
        });
    }
    void retract(const Column* argument, const Selection& rows,
                 const std::vector<std::uint32_t>& groups) override {
        rows.for_each([&](std::size_t row) {
            if (!argument->is_null(row)) values_.remove(*argument, row, groups[row]);
        });
    }
    void append_result(std::size_t group, Column& to) const override {
        const auto& values = values_.of(group);
        if (values.empty()) return to.append_null();
        const auto& entry = is_max_ ? values.rbegin()->second : values.begin()->second;
        is_text_ ? to.append_text(entry.text) : to.append_int(entry.bits);
    }
    void reset(std::size_t group) override { values_.reset(group); }
    void keep(std::span<const std::uint32_t> groups) override { values_.keep(groups); }
    void clear() override { values_.clear(); }
    void snapshot(StateWriter& to) const override { values_.snapshot(to); }
    void restore(StateReader& from, std::size_t count) override { values_.restore(from, count); }

 private:
    bool is_max_, is_text_;
    CountedValues values_;
};

// Hands the first of equal values on, and takes it back with the last.
class CountedDistinct final : public GroupAggregate {
 public:
    CountedDistinct(const Type& type, std::unique_ptr<GroupAggregate> inner)
        : values_(type), inner_(std::move(inner)) {}
    void resize(std::size_t count) override {
        values_.resize(count);
        inner_->resize(count);
    }
    void update(const Column* argument, const Selection& rows,
                const std::vector<std::uint32_t>& groups) override {
        passed_.clear();
        rows.for_each([&](std::size_t row) {
            if (!argument->is_null(row) && values_.add(*argument, row, groups[row]))
                passed_.push_back(static_cast<RowIndex>(row));
        });
        inner_->update(argument, Selection::of(passed_), groups);
    }
    void retract(const Column* argument, const Selection& rows,
                 const std::vector<std::uint32_t>& groups) override {
        passed_.clear();
        rows.for_each([&](std::size_t row) {
            if (!argument->is_null(row) && values_.remove(*argument, row, groups[row]))
                passed_.push_back(static_cast<RowIndex>(row));
        });
        inner_->retract(argument, Selection::of(passed_), groups);
    }
    void append_result(std::size_t group, Column& to) const override {
        inner_->append_result(group, to);
    }
    void reset(std::size_t group) override {
        values_.reset(group);
        inner_->reset(group);
    }
    void keep(std::span<const std::uint32_t> groups) override {
        values_.keep(groups);
        inner_->keep(groups);
    }
    void clear() override {
        values_.clear();
        inner_->clear();
    }
    void snapshot(StateWriter& to) const override {
        values_.snapshot(to);
        inner_->snapshot(to);
    }
    void restore(StateReader& from, std::size_t count) override {
        values_.restore(from, count);
        inner_->restore(from, count);
    }

 private:
    CountedValues values_;
    std::unique_ptr<GroupAggregate> inner_;
    std::vector<RowIndex> passed_;
};

}  // namespace

std::unique_ptr<GroupAggregate> make_counted_aggregate(const AggregateCall& call) {
    if (!call.is_distinct)
        return std::make_unique<CountedExtreme>(call.kind == AggregateKind::Max, call.parameter);
    AggregateCall inner = call;
    inner.is_distinct = false;
    return std::make_unique<CountedDistinct>(call.parameter, make_group_aggregate(inner));
}

}  // namespace tidemill::sql

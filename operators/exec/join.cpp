#include "operators/exec/join.h"

#include <algorithm>

namespace tidemill::sql {

namespace {

// Sent on when so many are ready, which also bounds them.
constexpr std::size_t kPairsAtOnce = 2 * kBatchRows;

}  // namespace

class Join::Port final : public Operator {
 public:
    Port(Join& owner, JoinSide& side, const std::vector<ExpressionPtr>& keys, const Schema& schema)
        : Operator(owner.context(), owner.pump(), "JoinPort", schema),
          owner_(owner),
          side_(side),
          keys_(keys) {}

 protected:
    void on_batch(const Batch& batch) override {
        Evaluation evaluation(batch, context().clock());
        columns_.clear();
        for (const auto& key : keys_)
            columns_.push_back(&key->evaluate(evaluation, batch.selection));
        const auto rows = settle(evaluation, batch.selection, settled_);
        if (rows.count == 0) return;
        side_.append(batch, rows, columns_);
        side_.bound = std::max(side_.bound, batch.rowtime->int_at(rows[rows.count - 1]));
        owner_.run();
    }
    void on_bound(std::int64_t bound) override {
        side_.bound = std::max(side_.bound, bound);
        owner_.run();
    }

 private:
    Join& owner_;
    JoinSide& side_;
    const std::vector<ExpressionPtr>& keys_;
    std::vector<const Column*> columns_;
    std::vector<RowIndex> settled_;
};

Join::Join(ExecContext& context, std::string pump, const Schema& left, const Schema& right,
           JoinNode node, const Schema& output)
    : Operator(context, std::move(pump), "Join", output),
      node_(std::move(node)),
      left_(left, node_.left_keys, node_.left, node_.keeps_left),
      right_(right, node_.right_keys, node_.right, node_.keeps_right),
      out_(output) {
    left_port_ = std::make_unique<Port>(*this, left_, node_.left_keys, left);
    right_port_ = std::make_unique<Port>(*this, right_, node_.right_keys, right);
}

Join::~Join() = default;

Operator& Join::left_port() { return *left_port_; }
Operator& Join::right_port() { return *right_port_; }

// Takes all rows that have their turn.
void Join::run() {
    const auto limit = std::min(left_.bound, right_.bound);
    for (;;) {
        JoinSide* first = nullptr;
        auto time = limit;
        for (auto* side : {&left_, &right_}) {
            if (!side->has_waiting()) continue;
            const auto its_time = side->time(side->next());
            if (its_time < time || (its_time == time && first == nullptr)) {
                first = side;
                time = its_time;
            }
        }
        if (first == nullptr) break;
        expire(time);
        meet(*first, time);
        if (pairs_.size() >= kPairsAtOnce) flush();
    }
    expire(limit);
    flush();
    left_.forget();
    right_.forget();
    advance(limit);
}

void Join::meet(JoinSide& side, std::int64_t time) {
    const bool is_left = &side == &left_;
    auto& other = is_left ? right_ : left_;
    const auto row = side.next();
    time_ = time;
    other.find(side, row, found_);
    const auto match = node_.residual ? JoinChunk::Possible : JoinChunk::Certain;
    for (const auto met : found_) {
        pairs_.push_back(is_left ? Pair{row, met, time} : Pair{met, row, time});
        if (other.keeps_unmatched() && other.match(met) == JoinChunk::None)
            other.set_match(met, match);
    }
    if (!found_.empty() && side.keeps_unmatched()) side.set_match(row, match);
    side.enter();
    if (side.window().is_rows)
        while (side.is_overfull())
            expire_one(side, time);
}

// Rows that no row of `time` or later can meet leave, in the order of their last moments.
void Join::expire(std::int64_t time) {
    if (time == kEndOfTime)
        for (auto* side : {&left_, &right_})
            while (side->window().is_rows && !side->is_window_empty())
                expire_one(*side, time_);
    for (;;) {
        JoinSide* first = nullptr;
        for (auto* side : {&left_, &right_})
            if (!side->window().is_rows && !side->is_window_empty() && side->deadline() < time &&
                (first == nullptr || side->deadline() < first->deadline()))
                first = side;
        if (first == nullptr) return;
        expire_one(*first, first->deadline());
    }
}

void Join::expire_one(JoinSide& side, std::int64_t rowtime) {
    const auto row = side.front();
    if (side.keeps_unmatched()) {
        if (side.match(row) == JoinChunk::Possible) flush();  // then it is known
        if (side.match(row) != JoinChunk::Certain)
            pairs_.push_back(&side == &left_ ? Pair{row, kNoJoinRow, rowtime}
                                             : Pair{kNoJoinRow, row, rowtime});
    }
    side.leave();
}

void Join::flush() {
    for (std::size_t i = 0; i < pairs_.size(); i += kBatchRows)
        flush(std::span(pairs_).subspan(i, std::min(kBatchRows, pairs_.size() - i)));
    pairs_.clear();
}

void Join::flush(std::span<const Pair> pairs) {
    gather(pairs);
    Batch out = out_.view();
    if (node_.residual) out.selection = keep_true(pairs);
    emit(out);
}

void Join::gather(std::span<const Pair> pairs) {
    std::size_t to = 0;
    const auto fill = [&](const JoinSide& side, JoinRow Pair::* row, bool has_rowtime) {
        places_.clear();
        for (const auto& pair : pairs)
            places_.push_back(pair.*row == kNoJoinRow
                                  ? Place{nullptr, 0}
                                  : Place{&side.chunk(pair.*row), pair.*row % kBatchRows});
        for (std::size_t c = 0; c < side.columns(); ++c)
            copy(out_.columns[to++],
                 [c](const JoinChunk& chunk) -> const Column& { return chunk.rows.columns[c]; });
        if (has_rowtime) rowtimes_.push_back(places_);
    };
    rowtimes_.clear();
    fill(left_, &Pair::left, node_.has_left_rowtime);
    fill(right_, &Pair::right, node_.has_right_rowtime);
    for (auto& places : rowtimes_) {
        std::swap(places_, places);
        copy(out_.columns[to++],
             [](const JoinChunk& chunk) -> const Column& { return chunk.rows.rowtime; });
    }
    out_.rowtime.reset(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i)
        out_.rowtime.set_int(i, pairs[i].rowtime);
}

// One column of the output from that column of the rows at `places_`; null where there is no row.
template <class ColumnOf>
void Join::copy(Column& to, ColumnOf&& column_of) {
    to.reset(places_.size());
    const bool is_text = to.type().storage() == Storage::Text;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const auto [chunk, place] = places_[i];
        if (chunk == nullptr || column_of(*chunk).is_null(place))
            to.set_null(i);
        else if (is_text)
            to.set_text(i, column_of(*chunk).text_at(place));
        else
            to.set_int(i, column_of(*chunk).int_at(place));
    }
}

// The rows that stand alone, and of the pairs those for which the residual is true.
Selection Join::keep_true(std::span<const Pair> pairs) {
    const auto is_pair = [&](std::size_t i) {
        return pairs[i].left != kNoJoinRow && pairs[i].right != kNoJoinRow;
    };
    tested_.clear();
    for (std::size_t i = 0; i < pairs.size(); ++i)
        if (is_pair(i)) tested_.push_back(static_cast<RowIndex>(i));
    const Batch batch = out_.view();
    Evaluation evaluation(batch, context().clock());
    const auto& truth = node_.residual->evaluate(evaluation, Selection::of(tested_));
    settle(evaluation, Selection::of(tested_), settled_);
    const auto decide = [](JoinSide& side, JoinRow row) {
        if (side.keeps_unmatched()) side.set_match(row, JoinChunk::Certain);
    };
    kept_.clear();
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const bool is_match =
            is_pair(i) && !evaluation.has_failed(i) && !truth.is_null(i) && truth.bool_at(i);
        if (is_match || !is_pair(i)) kept_.push_back(static_cast<RowIndex>(i));
        if (!is_match) continue;
        decide(left_, pairs[i].left);
        decide(right_, pairs[i].right);
    }
    return Selection::of(kept_);
}

void Join::save(StateWriter& to) const {
    to.put_int(time_);
    left_.save(to);
    right_.save(to);
}

void Join::load(StateReader& from) {
    time_ = from.take_int();
    left_.load(from);
    right_.load(from);
}

}  // namespace tidemill::sql

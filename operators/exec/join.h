#pragma once

#include <memory>
#include <vector>

#include "operators/exec/join_side.h"
#include "operators/exec/operator.h"

namespace tidemill::sql {

/// Join of two streams over windows. Rows of both sides are taken in the order of ROWTIME (of equal
/// times the left ones first), as soon as no side can bring an earlier one; each meets the rows
/// that are in the other side's window then. A pair bears the later ROWTIME of the two. A row that
/// must not be lost and met nobody leaves when its window does, with the last ROWTIME at which it
/// could have met one. Source: AWS, "JOIN clause", stream-to-stream joins.
class Join final : public Operator {
 public:
    Join(ExecContext& context, std::string pump, const Schema& left, const Schema& right,
         JoinNode node, const Schema& output);
    ~Join() override;

    /// Where the rows of each side go in.
    Operator& left_port();
    Operator& right_port();

 protected:
    void on_batch(const Batch&) override {}
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    class Port;
    /// A row of the output; either may be kNoJoinRow.
    struct Pair {
        JoinRow left, right;
        std::int64_t rowtime;
    };

    struct Place {
        const JoinChunk* chunk;
        std::size_t place;
    };

    void run();
    void meet(JoinSide& side, std::int64_t time);
    void expire(std::int64_t time);
    void expire_one(JoinSide& side, std::int64_t rowtime);
    void flush();
    void flush(std::span<const Pair> pairs);
    void gather(std::span<const Pair> pairs);
    template <class ColumnOf>
    void copy(Column& to, ColumnOf&& column_of);
    Selection keep_true(std::span<const Pair> pairs);

    JoinNode node_;
    JoinSide left_, right_;
    std::unique_ptr<Port> left_port_, right_port_;
    std::int64_t time_ = kNoBound;  // of the row that was taken last
    std::vector<Pair> pairs_;       // not yet sent
    std::vector<JoinRow> found_;
    std::vector<Place> places_;
    std::vector<std::vector<Place>> rowtimes_;
    std::vector<RowIndex> tested_, kept_, settled_;
    RowBatch out_;
};

}  // namespace tidemill::sql

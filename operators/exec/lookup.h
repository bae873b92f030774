#pragma once

#include <vector>

#include "operators/exec/operator.h"
#include "operators/exec/reference_table.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"

namespace tidemill::sql {

/// Join of a stream with a reference table: each row goes out once with each row of the table that
/// matches it now, in the table's order. Keeps no state but an index of the table, made anew when
/// that is exchanged. Source: AWS, "JOIN clause", stream-to-table joins.
class Lookup final : public Operator {
 public:
    Lookup(ExecContext& context, std::string pump, Schema input, LookupNode node,
           const Schema& output, const ReferenceTable& table);

 protected:
    void on_batch(const Batch& batch) override;

 private:
    static constexpr std::uint32_t kNoRow = 0xffffffff;
    struct Pair {
        RowIndex row;           ///< of the batch
        std::uint32_t matched;  ///< row of the table, or kNoRow
    };

    void index();
    void push_single(const Batch& batch, const Selection& rows);
    void push_many(const Batch& batch, const Selection& rows);
    void push_pairs(const Batch& batch);
    void test_pairs(const Batch& batch);
    void gather(const Batch& batch, std::size_t from, std::size_t count);

    LookupNode node_;
    const ReferenceTable& table_;
    std::uint64_t version_ = 0;
    std::shared_ptr<const RowBatch> rows_;
    GroupTable groups_;                        // the keys of the table
    std::vector<std::uint32_t> first_, last_;  // of each group, rows of the table
    std::vector<std::uint32_t> next_;          // of each row, the next one of its group
    bool has_many_ = false;                    // rows with one key
    std::size_t stream_at_, table_at_;         // first columns in the output

    std::vector<std::uint32_t> group_of_row_;
    std::vector<RowIndex> settled_, tested_, kept_;
    std::vector<Column> table_columns_;
    std::vector<Pair> pairs_;
    std::vector<char> is_true_;  // by pair
    RowBatch out_;
};

}  // namespace tidemill::sql

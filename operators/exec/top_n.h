#pragma once

#include "operators/exec/operator.h"
#include "operators/exec/state_budget.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"
#include "operators/state/row_heap.h"
#include "operators/window/ranked_rows.h"

namespace tidemill::sql {

/// ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...) <= n: the first n rows of each partition, as a
/// changelog after each batch. Rows of equal keys keep the order in which they came; if the last
/// key is a time that descends, the later one comes first.
///
/// Three kinds of output, by what the query looks at:
/// - neither the rank nor ROW_OP, or n = 1: the rows of the batch that are among the first n after
///   it, as they are; nothing but their sort keys is kept;
/// - the rank: each rank that holds another row than before, from kept rows;
/// - ROW_OP without the rank: '-D' for the rows that have left, '+I' for those that have come.
class TopN final : public Operator {
 public:
    TopN(ExecContext& context, std::string pump, Schema input, TopNNode node, const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    void add(const Selection& rows);
    void add_within_limits(const Selection& rows);
    void add_one_by_one(const Selection& rows);
    void add_row(std::size_t row, std::uint32_t group);
    bool make_room(std::size_t row);
    void keep(std::span<const std::uint32_t> groups);
    std::size_t kept_rows() const { return std::max(groups_.size(), ranked_.rows()); }
    void forget_rows(std::uint32_t group);
    void drop_key(const RankedRow& row);
    bool is_less(const RankedRow& a, std::string_view a_bytes, const RankedRow& b) const;
    std::size_t place_of(std::uint32_t group, const RankedRow& row, std::string_view bytes) const;

    bool starts_window(const Batch& batch, std::size_t row) const;
    void forget_window(const Batch& batch, std::size_t row);
    void emit_changes();
    void emit_batch_rows();
    void emit_ranks();
    void emit_moves();
    void append_kept(std::uint32_t row, std::int64_t rank, std::string_view op, std::int64_t time);
    void flush_out(bool is_last);

    struct Displaced {
        std::uint32_t group, row, order;
    };
    /// What a partition has been through since the last emission.
    struct Change {
        std::uint32_t round = 0;
        std::uint32_t from = 0;       ///< the first rank that changed
        std::uint32_t was_shown = 0;  ///< ranks that were out before
        std::uint32_t last_row = 0;   ///< place in the batch's rows
        std::int64_t time = 0;        ///< of the latest row that changed something
    };

    TopNNode node_;
    std::size_t visible_;  // columns of the output before ROW_OP
    bool keeps_rows_;
    SortKey sort_key_;
    RowCodec codec_;
    GroupTable groups_;
    RankedRows ranked_;
    RowHeap heap_;
    StateBudget budget_;
    std::vector<Change> changes_;  // of each partition
    std::uint32_t round_ = 0;

    Column window_;  // the monotonic column of the partitions that are open, one row or none

    // Of the batch at work.
    const Batch* batch_ = nullptr;
    std::vector<const Column*> keys_, order_, row_columns_;
    std::vector<std::uint32_t> group_of_row_, changed_;
    std::vector<Displaced> displaced_;
    std::string bytes_, row_bytes_;
    RowBatch out_;
    std::vector<Column*> out_columns_;  // those that are kept
    Column rank_, op_;
    std::vector<RowIndex> part_, one_, fresh_;
    std::uint32_t added_ = 0;
};

}  // namespace tidemill::sql

#pragma once

#include <map>
#include <set>

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"
#include "operators/state/group_table.h"
#include "operators/state/row_codec.h"
#include "operators/state/row_heap.h"

namespace tidemill::sql {

/// ROW_NUMBER() OVER (...) <= n over a changelog: rows may change and go, so all of them are kept,
/// in order. After each batch every partition that changed is compared with what went out of it.
/// Rows of equal keys are in the order of the keys that identify them. Costs the logarithm of the
/// partition's rows for a row, and n for a partition that changed.
class ChangeTopN final : public Operator {
 public:
    ChangeTopN(ExecContext& context, std::string pump, Schema input, TopNNode node,
               const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    static constexpr std::uint32_t kNone = RowHeap::kNone;
    /// A place in the order of a partition; equal for no two rows.
    struct Place {
        std::uint64_t prefix;
        std::uint32_t key;  ///< bytes in the heap
        std::uint32_t row;  ///< number of the row
    };
    struct IsBefore {
        const RowHeap* heap;
        bool operator()(const Place& a, const Place& b) const {
            return a.prefix != b.prefix ? a.prefix < b.prefix : heap->get(a.key) < heap->get(b.key);
        }
    };
    struct Row {
        std::uint32_t partition = 0;
        std::uint32_t key = kNone, bytes = kNone;  ///< in the heap; kNone: it is gone
    };
    /// A row that went out, with a copy of what it was.
    struct Shown {
        std::uint32_t row, bytes;
    };
    struct Partition {
        explicit Partition(const RowHeap& heap) : rows(IsBefore{&heap}) {}
        std::set<Place, IsBefore> rows;
        std::vector<Shown> shown;
        std::uint32_t last_change = 0;
        std::int64_t time = 0;
        bool is_changed = false;
    };

    void add(const Selection& rows);
    void change(std::size_t row);
    void take_out(Row& row);
    void put_in(std::uint32_t number, std::uint32_t partition, std::string_view key,
                std::string_view bytes);
    void touch(std::uint32_t partition, std::int64_t time);
    bool starts_window(const Batch& batch, std::size_t row) const;
    void forget_window(const Batch& batch, std::size_t row);
    void emit_changes();
    void emit_ranks(Partition& partition);
    void emit_rows(Partition& partition);
    void append(std::uint32_t bytes, std::int64_t rank, std::string_view op, std::int64_t time);

    TopNNode node_;
    std::size_t visible_;  // columns of the output before ROW_OP
    bool shows_ranks_;
    SortKey sort_key_;
    RowCodec codec_;
    GroupTable row_keys_, partition_keys_;
    std::vector<Row> rows_;
    std::size_t present_ = 0;
    std::map<std::uint32_t, Partition> partitions_;
    RowHeap heap_;

    Column window_;  // the monotonic column of the partitions that are open, one row or none

    // Of the batch at work.
    const Batch* batch_ = nullptr;
    std::vector<const Column*> row_key_columns_, partition_columns_, order_, row_columns_;
    std::vector<std::uint32_t> row_of_, partition_of_, changed_;
    std::vector<RowIndex> run_;
    std::uint32_t changes_ = 0;
    std::string key_bytes_, row_bytes_;
    RowBatch out_;
    std::vector<Column*> out_columns_;
};

}  // namespace tidemill::sql

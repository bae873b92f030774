#pragma once

#include "operators/anomaly/anomaly_grade.h"
#include "operators/anomaly/random_cut_forest.h"
#include "operators/exec/keyed_models.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// RANDOM_CUT_FOREST and RANDOM_CUT_FOREST_WITH_EXPLANATION: scores each row, then learns it. A row
/// with a null or NaN among its numbers passes with a null score and is not learnt. With PARTITION
/// BY each key has a forest of its own. `budget`: bytes that all forests may hold; rows of a key
/// that would go beyond it are refused to the error stream.
class Forest final : public Operator {
 public:
    Forest(ExecContext& context, std::string pump, Schema input, ForestNode node,
           const anomaly::ForestConfig& config, std::uint64_t budget);

 protected:
    void on_batch(const Batch& batch) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    void add_forest();
    void score(std::uint32_t key, std::size_t first, std::size_t last);
    void explain(std::uint32_t key, std::size_t first, std::size_t last);
    std::string explanation() const;
    /// What the columns that carry most of the score should have been: {"column":value,...}
    std::string expected(std::uint32_t key);

    bool has_explanation_;
    std::vector<std::string> names_;  // of the columns of a point
    anomaly::ForestConfig config_;
    std::size_t most_forests_;
    KeyedRows rows_;
    std::vector<anomaly::RandomCutForest> forests_;
    std::vector<anomaly::AnomalyGrade> grades_;  // of each forest
    std::vector<double> records_, scores_;
    std::vector<RowIndex> settled_, refused_, kept_;
    std::vector<anomaly::ColumnAttribution> shares_;
    std::unique_ptr<bool[]> is_unusual_;  // columns
    Column score_, explanation_, grade_, expected_;
};

}  // namespace tidemill::sql

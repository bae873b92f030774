#pragma once

#include "operators/anomaly/random_cut_forest.h"
#include "operators/exec/operator.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// RANDOM_CUT_FOREST and RANDOM_CUT_FOREST_WITH_EXPLANATION: scores each row, then learns it. A row
/// with a null or NaN among its numbers passes with a null score and is not learnt.
class Forest final : public Operator {
 public:
    Forest(ExecContext& context, std::string pump, Schema input, ForestNode node,
           const anomaly::ForestConfig& config);

 protected:
    void on_batch(const Batch& batch) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    void score_rows(const Batch& batch);
    void explain_rows(const Batch& batch);
    std::string explanation(std::span<const double> record) const;

    ForestNode node_;
    anomaly::RandomCutForest forest_;
    std::vector<double> records_, scores_;
    std::vector<RowIndex> complete_;  // rows without nulls
    std::vector<anomaly::ColumnAttribution> shares_;
    Column score_, explanation_;
};

}  // namespace tidemill::sql

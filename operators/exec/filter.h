#pragma once

#include "operators/exec/operator.h"
#include "operators/expr/expression.h"

namespace tidemill::sql {

/// WHERE and HAVING: lets the rows pass for which the predicate is true. The simplest operator;
/// start here.
class Filter final : public Operator {
 public:
    Filter(ExecContext& context, std::string pump, Schema input, ExpressionPtr predicate)
        : Operator(context, std::move(pump), "Filter", std::move(input)),
          predicate_(std::move(predicate)) {}

 protected:
    void on_batch(const Batch& batch) override;

 private:
    ExpressionPtr predicate_;
    std::vector<RowIndex> passing_, settled_;
};

}  // namespace tidemill::sql

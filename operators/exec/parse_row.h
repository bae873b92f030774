#pragma once

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// A log parser: adds a text column for each column of its ROW; all are null if the line does not
/// fit.
class ParseRow final : public Operator {
 public:
    ParseRow(ExecContext& context, std::string pump, Schema input, ParseRowNode node);

 protected:
    void on_batch(const Batch& batch) override;

 private:
    ParseRowNode node_;
    std::vector<Column> columns_;
    std::vector<std::optional<std::string_view>> pieces_;
    std::vector<RowIndex> settled_, complete_;
};

}  // namespace tidemill::sql

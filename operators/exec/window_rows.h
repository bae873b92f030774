#pragma once

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// TUMBLE, HOP and CUMULATE without groups: each row goes out once for each window that holds it,
/// the earliest window first.
class WindowRows final : public Operator {
 public:
    WindowRows(ExecContext& context, std::string pump, Schema input, WindowFunction windows,
               const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;

 private:
    WindowFunction windows_;
    RowBatch out_;
};

}  // namespace tidemill::sql

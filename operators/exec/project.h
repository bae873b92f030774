#pragma once

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// SELECT list: computes columns; with `AS ROWTIME` also the time of the rows. Rows whose new time
/// is null, or below the one before, go to the error stream.
class Project final : public Operator {
 public:
    Project(ExecContext& context, std::string pump, Schema input, ProjectNode node)
        : Operator(context, std::move(pump), "Project", std::move(input)), node_(std::move(node)) {}

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override { to.put_int(last_rowtime_); }
    void load(StateReader& from) override { last_rowtime_ = from.take_int(); }

 private:
    Selection retime(const Batch& batch, const Column& rowtime, const Selection& rows);

    ProjectNode node_;
    std::int64_t last_rowtime_ = kNoBound;
    std::vector<RowIndex> settled_, ascending_;
};

}  // namespace tidemill::sql

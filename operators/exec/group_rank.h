#pragma once

#include <vector>

#include "operators/exec/operator.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// GROUP_RANK: rows of one ROWTIME wait until it goes on, by a row or by a bound, and leave with
/// their rank: equal values have the same one, and the next different value counts all before it.
/// NULL comes last either way.
class GroupRank final : public Operator {
 public:
    GroupRank(ExecContext& context, std::string pump, Schema input, GroupRankNode node,
              const Schema& output);

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    void close();

    GroupRankNode node_;
    RowBatch rows_;  // of one ROWTIME
    RowBatch out_;
};

}  // namespace tidemill::sql

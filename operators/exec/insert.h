#pragma once

#include "operators/exec/relay.h"

namespace tidemill::sql {

/// The end of a pump: rows that keep the target's NOT NULL go into it.
class Insert final : public Operator {
 public:
    Insert(ExecContext& context, std::string pump, Relay& target)
        : Operator(context, std::move(pump), "Insert " + target.name(), target.schema()),
          target_(target),
          writer_(target.add_writer()) {}

 protected:
    void on_batch(const Batch& batch) override;
    void on_bound(std::int64_t bound) override { target_.advance(writer_, bound); }

 private:
    Relay& target_;
    std::size_t writer_;
    std::vector<RowIndex> whole_;
};

}  // namespace tidemill::sql

#pragma once

#include <memory>

#include "operators/exec/row_merge.h"

namespace tidemill::sql {

/// UNION ALL: each branch ends in a port; the union merges them by ROWTIME.
class UnionAll final : public Operator {
 public:
    UnionAll(ExecContext& context, std::string pump, const Schema& schema, std::size_t branches)
        : Operator(context, pump, "Union", schema),
          merge_(schema, branches, [this](const Batch& batch) { emit(batch); }) {
        for (std::size_t i = 0; i < branches; ++i)
            ports_.push_back(std::make_unique<Port>(*this, i, schema));
    }
    Operator& port(std::size_t branch) { return *ports_[branch]; }

 protected:
    void on_batch(const Batch&) override {}
    void save(StateWriter& to) const override { merge_.save(to); }
    void load(StateReader& from) override { merge_.load(from); }

 private:
    class Port final : public Operator {
     public:
        Port(UnionAll& owner, std::size_t branch, const Schema& schema)
            : Operator(owner.context(), owner.pump(), "UnionPort", schema),
              owner_(owner),
              branch_(branch) {}

     protected:
        void on_batch(const Batch& batch) override { owner_.merge_.push(branch_, batch); }
        void on_bound(std::int64_t bound) override {
            owner_.merge_.advance(branch_, bound);
            owner_.advance(owner_.merge_.bound());
        }

     private:
        UnionAll& owner_;
        std::size_t branch_;
    };

    RowMerge merge_;
    std::vector<std::unique_ptr<Port>> ports_;
};

}  // namespace tidemill::sql

#pragma once

#include "operators/expr/bind_expression.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// Collects the aggregate calls of one query, each once, with their bound arguments.
class AggregateList {
 public:
    /// Appends to the two lists, which outlive this object.
    AggregateList(const Scope& scope, std::vector<ExpressionPtr>& arguments,
                  std::vector<AggregateCall>& calls)
        : scope_(scope), arguments_(arguments), calls_(calls) {}

    /// Index of the call in the list.
    /// Errors: wrong number or types of arguments, DISTINCT.
    SqlResult<std::size_t> add(const ast::Expr& call);

 private:
    SqlResult<void> read_offset(const ast::Expr& call, AggregateCall& entry) const;
    SqlResult<Value> constant(const ast::Expr& expr, const Type& type) const;

    const Scope& scope_;
    std::vector<ExpressionPtr>& arguments_;
    std::vector<AggregateCall>& calls_;
    std::vector<const ast::Expr*> seen_;
};

}  // namespace tidemill::sql

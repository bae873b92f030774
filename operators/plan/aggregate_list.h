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
    /// Errors: wrong number or types of arguments, DISTINCT or FILTER where they cannot be.
    SqlResult<std::size_t> add(const ast::Expr& call);

 private:
    struct SeenArgument {
        const ast::Expr* expr;
        Type type;
        std::size_t index;
    };
    SqlResult<void> check_modifiers(const ast::Expr& call, AggregateKind kind) const;
    SqlResult<std::size_t> add_argument(const ast::Expr& expr, ExpressionPtr bound);
    SqlResult<void> add_filtered(const ast::Expr& call, AggregateCall& entry,
                                 ExpressionPtr argument);
    SqlResult<void> read_half_life(const ast::Expr& call, AggregateCall& entry) const;
    SqlResult<void> read_offset(const ast::Expr& call, AggregateCall& entry) const;
    SqlResult<Value> constant(const ast::Expr& expr, const Type& type) const;

    const Scope& scope_;
    std::vector<ExpressionPtr>& arguments_;
    std::vector<AggregateCall>& calls_;
    std::vector<const ast::Expr*> seen_;
    std::vector<SeenArgument> arguments_seen_;
};

}  // namespace tidemill::sql

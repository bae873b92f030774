#include "operators/expr/expression.h"

#include <algorithm>

namespace tidemill::sql {

Selection select_non_null(std::span<const Column* const> columns, const Selection& rows,
                          Column& out, std::vector<RowIndex>& scratch) {
    if (std::ranges::none_of(columns, [](const Column* column) { return column->has_nulls(); }))
        return rows;
    scratch.clear();
    rows.for_each([&](std::size_t row) {
        for (const auto* column : columns)
            if (column->is_null(row)) {
                out.set_null(row);
                return;
            }
        scratch.push_back(static_cast<RowIndex>(row));
    });
    return Selection::of(scratch);
}

KernelExpression::KernelExpression(std::string name, Type type, Kernel kernel,
                                   std::vector<ExpressionPtr> args)
    : Expression(type),
      name_(std::move(name)),
      kernel_(kernel),
      args_(std::move(args)),
      out_(type) {
    is_rowtime_only =
        std::ranges::all_of(args_, [](const auto& arg) { return arg->is_rowtime_only; });
    is_nullable = std::ranges::any_of(args_, [](const auto& arg) { return arg->is_nullable; });
    inputs_.resize(args_.size());
}

const Column& KernelExpression::evaluate(Evaluation& evaluation, const Selection& rows) {
    for (std::size_t i = 0; i < args_.size(); ++i)
        inputs_[i] = &args_[i]->evaluate(evaluation, rows);
    out_.reset(evaluation.batch.rows);
    const auto live = select_non_null(inputs_, rows, out_, non_null_);
    kernel_({inputs_, out_, live, evaluation});
    return out_;
}

std::string KernelExpression::describe() const {
    std::string text = name_ + "(";
    for (std::size_t i = 0; i < args_.size(); ++i)
        text += (i > 0 ? ", " : "") + args_[i]->describe();
    return text + ")";
}

}  // namespace tidemill::sql

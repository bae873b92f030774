#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "operators/expr/evaluation.h"
#include "operators/vector/value.h"

namespace tidemill::sql {

/// How an expression moves while ROWTIME ascends. Rowtime: a column that is always equal to it.
enum class Monotonicity : std::uint8_t { None, Constant, Ascending, Descending, Rowtime };

/// A bound, typed expression that computes whole batches: one virtual call a node and batch, none a
/// row. Threads: one caller at a time; keeps scratch columns.
class Expression {
 public:
    explicit Expression(Type type) : type_(type) {}
    virtual ~Expression() = default;

    const Type& type() const { return type_; }
    /// Computes the given rows of the batch. Other slots of the result hold anything.
    /// Ownership: the result belongs to this expression or to the batch, and lives until the next
    /// `evaluate`. Errors: rows that fail are marked in `evaluation` and null in the result.
    virtual const Column& evaluate(Evaluation& evaluation, const Selection& rows) = 0;
    /// For plans.
    virtual std::string describe() const = 0;

    Monotonicity monotonicity = Monotonicity::None;
    /// Depends on nothing but ROWTIME and constants, so a rowtime bound can be put through it.
    bool is_rowtime_only = false;
    bool is_nullable = true;

 private:
    Type type_;
};

using ExpressionPtr = std::unique_ptr<Expression>;

/// A column of the batch by its place.
class ColumnReference final : public Expression {
 public:
    ColumnReference(Type type, std::size_t index, std::string name)
        : Expression(type), index_(index), name_(std::move(name)) {}
    const Column& evaluate(Evaluation& evaluation, const Selection&) override {
        return *evaluation.batch.columns[index_];
    }
    std::string describe() const override { return name_; }
    std::size_t index() const { return index_; }

 private:
    std::size_t index_;
    std::string name_;
};

class RowtimeReference final : public Expression {
 public:
    RowtimeReference() : Expression(TypeKind::Timestamp) {
        monotonicity = Monotonicity::Ascending;
        is_rowtime_only = true;
        is_nullable = false;
    }
    const Column& evaluate(Evaluation& evaluation, const Selection&) override {
        return *evaluation.batch.rowtime;
    }
    std::string describe() const override { return "ROWTIME"; }
};

class Literal final : public Expression {
 public:
    explicit Literal(Value value)
        : Expression(value.type), value_(std::move(value)), column_(Column::constant(value_)) {
        monotonicity = Monotonicity::Constant;
        is_rowtime_only = true;
        is_nullable = value_.is_null;
    }
    const Column& evaluate(Evaluation&, const Selection&) override { return column_; }
    std::string describe() const override { return to_text(value_); }
    const Value& value() const { return value_; }

 private:
    Value value_;
    Column column_;
};

/// What a kernel works on: argument columns without nulls in `rows`, and the column to fill at the
/// same places.
struct KernelCall {
    std::span<const Column* const> args;
    Column& out;
    Selection rows;
    Evaluation& evaluation;

    /// Marks a row as failed and makes it null.
    void fail(std::size_t row, std::string_view name, std::string message) const {
        evaluation.fail(row, name, std::move(message));
        out.set_null(row);
    }
};
using Kernel = void (*)(const KernelCall& call);

/// A strict function: null if any argument is null, otherwise whatever its kernel computes.
class KernelExpression final : public Expression {
 public:
    KernelExpression(std::string name, Type type, Kernel kernel, std::vector<ExpressionPtr> args);
    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override;
    std::string describe() const override;

 private:
    std::string name_;
    Kernel kernel_;
    std::vector<ExpressionPtr> args_;
    std::vector<const Column*> inputs_;
    std::vector<RowIndex> non_null_;
    Column out_;
};

/// Selected rows in which no column of `columns` is null; the others become null in `out`.
/// `scratch` keeps the rows if they differ from `rows`.
Selection select_non_null(std::span<const Column* const> columns, const Selection& rows,
                          Column& out, std::vector<RowIndex>& scratch);

}  // namespace tidemill::sql

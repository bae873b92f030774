#include "operators/expr/logic.h"

namespace tidemill::sql {

namespace {

void invert(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) { call.out.set_bool(i, !call.args[0]->bool_at(i)); });
}

// AND and OR are each other's mirror: `dominant` is the value that settles the result (false for
// AND).
class Connective final : public Expression {
 public:
    Connective(bool dominant, ExpressionPtr left, ExpressionPtr right)
        : Expression(TypeKind::Boolean),
          dominant_(dominant),
          left_(std::move(left)),
          right_(std::move(right)),
          out_(TypeKind::Boolean) {
        is_rowtime_only = left_->is_rowtime_only && right_->is_rowtime_only;
    }

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        const auto& left = left_->evaluate(evaluation, rows);
        out_.reset(evaluation.batch.rows);
        open_.clear();
        rows.for_each([&](std::size_t row) {
            if (!left.is_null(row) && left.bool_at(row) == dominant_)
                out_.set_bool(row, dominant_);
            else
                open_.push_back(static_cast<RowIndex>(row));
        });
        if (open_.empty()) return out_;
        const auto& right = right_->evaluate(evaluation, Selection::of(open_));
        for (const std::size_t row : open_) {
            if (!right.is_null(row) && right.bool_at(row) == dominant_)
                out_.set_bool(row, dominant_);
            else if (left.is_null(row) || right.is_null(row))
                out_.set_null(row);
            else
                out_.set_bool(row, !dominant_);
        }
        return out_;
    }
    std::string describe() const override {
        return "(" + left_->describe() + (dominant_ ? " OR " : " AND ") + right_->describe() + ")";
    }

 private:
    bool dominant_;
    ExpressionPtr left_, right_;
    std::vector<RowIndex> open_;
    Column out_;
};

// IS [NOT] NULL and IS [NOT] TRUE/FALSE: never null themselves.
class IsTest final : public Expression {
 public:
    enum class What { Null, True, False };
    IsTest(ExpressionPtr operand, What what, bool is_negated)
        : Expression(TypeKind::Boolean),
          operand_(std::move(operand)),
          what_(what),
          is_negated_(is_negated),
          out_(TypeKind::Boolean) {
        is_rowtime_only = operand_->is_rowtime_only;
        is_nullable = false;
    }

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        const auto& operand = operand_->evaluate(evaluation, rows);
        out_.reset(evaluation.batch.rows);
        rows.for_each([&](std::size_t row) {
            const bool is_null = operand.is_null(row);
            const bool holds = what_ == What::Null
                                   ? is_null
                                   : !is_null && operand.bool_at(row) == (what_ == What::True);
            out_.set_bool(row, holds != is_negated_);
        });
        return out_;
    }
    std::string describe() const override {
        const char* what = what_ == What::Null ? "NULL" : what_ == What::True ? "TRUE" : "FALSE";
        return operand_->describe() + (is_negated_ ? " IS NOT " : " IS ") + what;
    }

 private:
    ExpressionPtr operand_;
    What what_;
    bool is_negated_;
    Column out_;
};

class Case final : public Expression {
 public:
    Case(Type type, std::vector<ExpressionPtr> conditions, std::vector<ExpressionPtr> values)
        : Expression(type),
          conditions_(std::move(conditions)),
          values_(std::move(values)),
          out_(type) {}

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        out_.reset(evaluation.batch.rows);
        open_.clear();
        rows.for_each([&](std::size_t row) { open_.push_back(static_cast<RowIndex>(row)); });
        for (std::size_t i = 0; i < conditions_.size() && !open_.empty(); ++i) {
            const auto& condition = conditions_[i]->evaluate(evaluation, Selection::of(open_));
            chosen_.clear();
            rest_.clear();
            for (const auto row : open_)
                (!condition.is_null(row) && condition.bool_at(row) ? chosen_ : rest_)
                    .push_back(row);
            fill(evaluation, *values_[i], chosen_);
            std::swap(open_, rest_);
        }
        if (values_.size() > conditions_.size())
            fill(evaluation, *values_.back(), open_);
        else
            for (const auto row : open_)
                out_.set_null(row);
        return out_;
    }
    std::string describe() const override {
        std::string text = "CASE";
        for (std::size_t i = 0; i < conditions_.size(); ++i)
            text += " WHEN " + conditions_[i]->describe() + " THEN " + values_[i]->describe();
        if (values_.size() > conditions_.size()) text += " ELSE " + values_.back()->describe();
        return text + " END";
    }

 private:
    void fill(Evaluation& evaluation, Expression& value, const std::vector<RowIndex>& rows) {
        if (rows.empty()) return;
        const auto& column = value.evaluate(evaluation, Selection::of(rows));
        for (const auto row : rows)
            out_.set_from(row, column, row);
    }

    std::vector<ExpressionPtr> conditions_, values_;
    std::vector<RowIndex> open_, chosen_, rest_;
    Column out_;
};

class Coalesce final : public Expression {
 public:
    Coalesce(Type type, std::vector<ExpressionPtr> values)
        : Expression(type), values_(std::move(values)), out_(type) {}

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        out_.reset(evaluation.batch.rows);
        open_.clear();
        rows.for_each([&](std::size_t row) { open_.push_back(static_cast<RowIndex>(row)); });
        for (const auto& value : values_) {
            if (open_.empty()) break;
            const auto& column = value->evaluate(evaluation, Selection::of(open_));
            rest_.clear();
            for (const auto row : open_) {
                if (column.is_null(row))
                    rest_.push_back(row);
                else
                    out_.set_from(row, column, row);
            }
            std::swap(open_, rest_);
        }
        for (const auto row : open_)
            out_.set_null(row);
        return out_;
    }
    std::string describe() const override {
        std::string text = "COALESCE(";
        for (std::size_t i = 0; i < values_.size(); ++i)
            text += (i > 0 ? ", " : "") + values_[i]->describe();
        return text + ")";
    }

 private:
    std::vector<ExpressionPtr> values_;
    std::vector<RowIndex> open_, rest_;
    Column out_;
};

}  // namespace

ExpressionPtr make_and(ExpressionPtr left, ExpressionPtr right) {
    return std::make_unique<Connective>(false, std::move(left), std::move(right));
}
ExpressionPtr make_or(ExpressionPtr left, ExpressionPtr right) {
    return std::make_unique<Connective>(true, std::move(left), std::move(right));
}
ExpressionPtr make_not(ExpressionPtr operand) {
    std::vector<ExpressionPtr> args;
    args.push_back(std::move(operand));
    return std::make_unique<KernelExpression>("NOT", TypeKind::Boolean, invert, std::move(args));
}
ExpressionPtr make_is_null(ExpressionPtr operand, bool is_negated) {
    return std::make_unique<IsTest>(std::move(operand), IsTest::What::Null, is_negated);
}
ExpressionPtr make_is_truth(ExpressionPtr operand, bool wanted, bool is_negated) {
    return std::make_unique<IsTest>(std::move(operand),
                                    wanted ? IsTest::What::True : IsTest::What::False, is_negated);
}
ExpressionPtr make_case(Type type, std::vector<ExpressionPtr> conditions,
                        std::vector<ExpressionPtr> values) {
    return std::make_unique<Case>(type, std::move(conditions), std::move(values));
}
ExpressionPtr make_coalesce(Type type, std::vector<ExpressionPtr> values) {
    return std::make_unique<Coalesce>(type, std::move(values));
}

}  // namespace tidemill::sql

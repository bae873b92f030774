#include "operators/expr/in_list.h"

namespace tidemill::sql {

namespace {

bool are_equal(const Column& a, const Column& b, std::size_t row) {
    switch (a.type().storage()) {
        case Storage::Text:
            return a.text_at(row) == b.text_at(row);
        case Storage::Double:
            return a.double_at(row) == b.double_at(row);
        default:
            return a.int_at(row) == b.int_at(row);
    }
}

class InList final : public Expression {
 public:
    InList(std::vector<ExpressionPtr> args, bool is_negated)
        : Expression(TypeKind::Boolean),
          args_(std::move(args)),
          is_negated_(is_negated),
          out_(TypeKind::Boolean) {}

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        const auto& value = args_[0]->evaluate(evaluation, rows);
        out_.reset(evaluation.batch.rows);
        open_.clear();
        unknown_.assign(evaluation.batch.rows, false);
        rows.for_each([&](std::size_t row) {
            if (value.is_null(row))
                out_.set_null(row);
            else
                open_.push_back(static_cast<RowIndex>(row));
        });
        for (std::size_t i = 1; i < args_.size() && !open_.empty(); ++i) {
            const auto& candidate = args_[i]->evaluate(evaluation, Selection::of(open_));
            std::size_t kept = 0;
            for (const auto row : open_) {
                if (candidate.is_null(row)) {
                    unknown_[row] = true;
                } else if (are_equal(value, candidate, row)) {
                    out_.set_bool(row, !is_negated_);
                    continue;
                }
                open_[kept++] = row;
            }
            open_.resize(kept);
        }
        for (const auto row : open_) {
            if (unknown_[row])
                out_.set_null(row);
            else
                out_.set_bool(row, is_negated_);
        }
        return out_;
    }
    std::string describe() const override {
        std::string text = args_[0]->describe() + (is_negated_ ? " NOT IN (" : " IN (");
        for (std::size_t i = 1; i < args_.size(); ++i)
            text += (i > 1 ? ", " : "") + args_[i]->describe();
        return text + ")";
    }

 private:
    std::vector<ExpressionPtr> args_;
    bool is_negated_;
    std::vector<RowIndex> open_;
    std::vector<bool> unknown_;
    Column out_;
};

class Distinct final : public Expression {
 public:
    Distinct(ExpressionPtr left, ExpressionPtr right, bool is_negated)
        : Expression(TypeKind::Boolean),
          left_(std::move(left)),
          right_(std::move(right)),
          is_negated_(is_negated),
          out_(TypeKind::Boolean) {
        is_nullable = false;
    }

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        const auto& left = left_->evaluate(evaluation, rows);
        const auto& right = right_->evaluate(evaluation, rows);
        out_.reset(evaluation.batch.rows);
        rows.for_each([&](std::size_t row) {
            const bool is_null = left.is_null(row);
            const bool is_same = is_null || right.is_null(row) ? is_null == right.is_null(row)
                                                               : are_equal(left, right, row);
            out_.set_bool(row, is_same == is_negated_);
        });
        return out_;
    }
    std::string describe() const override {
        return left_->describe() + (is_negated_ ? " IS NOT" : " IS") + " DISTINCT FROM " +
               right_->describe();
    }

 private:
    ExpressionPtr left_, right_;
    bool is_negated_;
    Column out_;
};

class NullIf final : public Expression {
 public:
    NullIf(ExpressionPtr value, ExpressionPtr other)
        : Expression(value->type()),
          value_(std::move(value)),
          other_(std::move(other)),
          out_(type()) {}

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        const auto& value = value_->evaluate(evaluation, rows);
        const auto& other = other_->evaluate(evaluation, rows);
        out_.reset(evaluation.batch.rows);
        rows.for_each([&](std::size_t row) {
            if (value.is_null(row) || (!other.is_null(row) && are_equal(value, other, row)))
                out_.set_null(row);
            else
                out_.set_from(row, value, row);
        });
        return out_;
    }
    std::string describe() const override {
        return "NULLIF(" + value_->describe() + ", " + other_->describe() + ")";
    }

 private:
    ExpressionPtr value_, other_;
    Column out_;
};

}  // namespace

ExpressionPtr make_in_list(std::vector<ExpressionPtr> args, bool is_negated) {
    return std::make_unique<InList>(std::move(args), is_negated);
}
ExpressionPtr make_distinct(ExpressionPtr left, ExpressionPtr right, bool is_negated) {
    return std::make_unique<Distinct>(std::move(left), std::move(right), is_negated);
}
ExpressionPtr make_null_if(ExpressionPtr value, ExpressionPtr other) {
    return std::make_unique<NullIf>(std::move(value), std::move(other));
}

}  // namespace tidemill::sql

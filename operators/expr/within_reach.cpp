#include "operators/expr/within_reach.h"

#include <fmt/format.h>

namespace tidemill::sql {

namespace {

class WithinReach final : public Expression {
 public:
    explicit WithinReach(std::vector<Horizon> horizons)
        : Expression(TypeKind::Boolean), horizons_(std::move(horizons)), out_(TypeKind::Boolean) {
        is_nullable = false;
    }

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        const auto& batch = evaluation.batch;
        out_.reset(batch.rows);
        rows.for_each([&](std::size_t row) {
            bool is_near = true;
            for (const auto& horizon : horizons_) {
                const auto& time = *batch.columns[horizon.column];
                is_near &= time.is_null(row) ||
                           batch.rowtime->int_at(row) - time.int_at(row) <= horizon.millis;
            }
            out_.set_bool(row, is_near);
        });
        return out_;
    }
    std::string describe() const override {
        std::string text;
        for (const auto& horizon : horizons_)
            text += fmt::format("{}within {} ms", text.empty() ? "" : " and ", horizon.millis);
        return text;
    }

 private:
    std::vector<Horizon> horizons_;
    Column out_;
};

}  // namespace

ExpressionPtr make_within_reach(std::vector<Horizon> horizons) {
    return std::make_unique<WithinReach>(std::move(horizons));
}

}  // namespace tidemill::sql

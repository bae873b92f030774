#include "operators/exec/forest.h"

#include <cmath>

#include <fmt/format.h>

#include "operators/connect/row_encoder.h"

namespace tidemill::sql {

Forest::Forest(ExecContext& context, std::string pump, Schema input, ForestNode node,
               const anomaly::ForestConfig& config)
    : Operator(context, std::move(pump), "Forest", std::move(input)),
      node_(std::move(node)),
      forest_(config),
      shares_(node_.columns.size()),
      score_(TypeKind::Double),
      explanation_(Type::varchar(20480)) {}

void Forest::on_batch(const Batch& batch) {
    const auto width = node_.columns.size();
    complete_.clear();
    records_.clear();
    batch.selection.for_each([&](std::size_t row) {
        for (const auto index : node_.columns) {
            const auto& column = *batch.columns[index];
            const double value = column.is_null(row) ? NAN : column.number_at(row);
            if (!std::isfinite(value)) return records_.resize(complete_.size() * width);
            records_.push_back(value);
        }
        complete_.push_back(static_cast<RowIndex>(row));
    });
    scores_.resize(complete_.size());
    if (node_.has_explanation)
        explain_rows(batch);
    else
        score_rows(batch);
    Batch out = batch;
    out.columns.push_back(&score_);
    if (node_.has_explanation) out.columns.push_back(&explanation_);
    emit(out);
}

void Forest::score_rows(const Batch& batch) {
    forest_.score_and_update_batch(records_, scores_);
    score_.reset(batch.rows);
    std::size_t next = 0;
    batch.selection.for_each([&](std::size_t row) {
        if (next < complete_.size() && complete_[next] == row)
            score_.set_double(row, scores_[next++]);
        else
            score_.set_null(row);
    });
}

void Forest::explain_rows(const Batch& batch) {
    const auto width = node_.columns.size();
    score_.reset(batch.rows);
    explanation_.reset(batch.rows);
    std::size_t next = 0;
    batch.selection.for_each([&](std::size_t row) {
        if (next == complete_.size() || complete_[next] != row) {
            score_.set_null(row);
            explanation_.set_null(row);
            return;
        }
        const std::span<const double> record(records_.data() + next++ * width, width);
        std::ranges::fill(shares_, anomaly::ColumnAttribution());
        score_.set_double(row, forest_.score_and_update(record, shares_));
        explanation_.set_text(row, explanation(record));
    });
}

// {"Systolic":{"DIRECTION":"HIGH","STRENGTH":"0.8567","ATTRIBUTION_SCORE":"1.7447"}, ...}; numbers
// are texts of four decimals. STRENGTH is how far the two directions are apart; before the forest
// answers it is 0 and the direction LOW.
std::string Forest::explanation(std::span<const double> record) const {
    std::string text = "{";
    for (std::size_t i = 0; i < record.size(); ++i) {
        const auto& share = shares_[i];
        if (i > 0) text += ',';
        append_json_string(text, input()[node_.columns[i]].name);
        fmt::format_to(std::back_inserter(text),
                       R"(:{{"DIRECTION":"{}","STRENGTH":"{:.4f}","ATTRIBUTION_SCORE":"{:.4f}"}})",
                       share.high > share.low ? "HIGH" : "LOW", std::fabs(share.high - share.low),
                       share.high + share.low);
    }
    return text + "}";
}

void Forest::save(StateWriter& to) const { to.put_bytes(forest_.snapshot()); }

void Forest::load(StateReader& from) {
    auto restored = anomaly::RandomCutForest::restore(from.take_bytes());
    if (!restored) return from.fail();
    forest_ = std::move(*restored);
}

}  // namespace tidemill::sql

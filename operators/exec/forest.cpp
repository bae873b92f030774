#include "operators/exec/forest.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "operators/connect/row_encoder.h"

namespace tidemill::sql {

Forest::Forest(ExecContext& context, std::string pump, Schema input, ForestNode node,
               const anomaly::ForestConfig& config, std::uint64_t budget)
    : Operator(context, std::move(pump), "Forest", std::move(input)),
      has_explanation_(node.has_explanation),
      config_(config),
      most_forests_(
          std::max<std::uint64_t>(1, budget / anomaly::RandomCutForest::memory_bytes(config))),
      rows_(std::move(node.keys), node.columns),
      shares_(node.columns.size()),
      score_(TypeKind::Double),
      explanation_(Type::varchar(20480)),
      grade_(TypeKind::Double),
      expected_(Type::varchar(20480)) {
    is_unusual_ = std::make_unique<bool[]>(node.columns.size());
    for (const auto index : node.columns)
        names_.push_back(this->input()[index].name);
}

void Forest::on_batch(const Batch& all) {
    Evaluation evaluation(all, context().clock());
    rows_.find_keys(all, evaluation);
    Batch batch = all;
    batch.selection = settle(evaluation, all.selection, settled_);
    rows_.take(batch);
    while (forests_.size() < std::min(rows_.key_count(), most_forests_))
        add_forest();
    score_.reset(batch.rows);
    grade_.reset(batch.rows);
    if (has_explanation_) {
        explanation_.reset(batch.rows);
        expected_.reset(batch.rows);
    }
    // Rows that no forest takes have no score.
    std::size_t next = 0;
    batch.selection.for_each([&](std::size_t row) {
        if (next < rows_.size() && rows_.row(next) == row) {
            ++next;
            return;
        }
        score_.set_null(row);
        grade_.set_null(row);
        if (!has_explanation_) return;
        explanation_.set_null(row);
        expected_.set_null(row);
    });
    refused_.clear();
    rows_.for_each_key([&](std::uint32_t key, std::size_t first, std::size_t last) {
        if (key >= forests_.size())
            for (std::size_t i = first; i < last; ++i)
                refused_.push_back(rows_.row(rows_.by_key()[i]));
        else if (has_explanation_)
            explain(key, first, last);
        else
            score(key, first, last);
    });
    Batch out = batch;
    if (!refused_.empty()) {
        std::ranges::sort(refused_);
        kept_.clear();
        auto refused = refused_.begin();
        batch.selection.for_each([&](std::size_t row) {
            if (refused == refused_.end() || *refused != row)
                return kept_.push_back(static_cast<RowIndex>(row));
            ++refused;
            reject(batch, row, "StateLimitExceeded",
                   fmt::format("RANDOM_CUT_FOREST keeps {} forests within its budget; there is no "
                               "room for this row's key.",
                               most_forests_));
        });
        out.selection = Selection::of(kept_);
    }
    out.columns.push_back(&score_);
    if (has_explanation_) out.columns.push_back(&explanation_);
    out.columns.push_back(&grade_);
    if (has_explanation_) out.columns.push_back(&expected_);
    emit(out);
}

void Forest::score(std::uint32_t key, std::size_t first, std::size_t last) {
    const auto& order = rows_.by_key();
    records_.clear();
    for (std::size_t i = first; i < last; ++i) {
        const auto values = rows_.values(order[i]);
        records_.insert(records_.end(), values.begin(), values.end());
    }
    scores_.resize(last - first);
    forests_[key].process(records_, scores_);
    for (std::size_t i = first; i < last; ++i) {
        const double score = scores_[i - first];
        score_.set_double(rows_.row(order[i]), score);
        grade_.set_double(rows_.row(order[i]), grades_[key].next(score));
    }
}

void Forest::explain(std::uint32_t key, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
        const auto at = rows_.by_key()[i];
        const auto row = rows_.row(at);
        const double score = forests_[key].score_and_update(rows_.values(at), shares_);
        const double grade = grades_[key].next(score);
        score_.set_double(row, score);
        grade_.set_double(row, grade);
        explanation_.set_text(row, explanation());
        if (grade > 0)
            expected_.set_text(row, expected(key));
        else
            expected_.set_null(row);
    }
}

// {"Systolic":{"DIRECTION":"HIGH","STRENGTH":"0.8567","ATTRIBUTION_SCORE":"1.7447"}, ...}; numbers
// are texts of four decimals. STRENGTH is how far the two directions are apart; before the forest
// answers it is 0 and the direction LOW.
std::string Forest::explanation() const {
    std::string text = "{";
    for (std::size_t i = 0; i < shares_.size(); ++i) {
        const auto& share = shares_[i];
        if (i > 0) text += ',';
        append_json_string(text, names_[i]);
        fmt::format_to(std::back_inserter(text),
                       R"(:{{"DIRECTION":"{}","STRENGTH":"{:.4f}","ATTRIBUTION_SCORE":"{:.4f}"}})",
                       share.high > share.low ? "HIGH" : "LOW", std::fabs(share.high - share.low),
                       share.high + share.low);
    }
    return text + "}";
}

std::string Forest::expected(std::uint32_t key) {
    double sum = 0;
    for (const auto& share : shares_)
        sum += share.high + share.low;
    for (std::size_t i = 0; i < shares_.size(); ++i)
        is_unusual_[i] =
            (shares_[i].high + shares_[i].low) * static_cast<double>(shares_.size()) >= sum;
    const auto values = forests_[key].expected_of_last({is_unusual_.get(), shares_.size()});
    std::string text = "{";
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!is_unusual_[i]) continue;
        if (text.size() > 1) text += ',';
        append_json_string(text, names_[i]);
        fmt::format_to(std::back_inserter(text), ":{}", values[i]);
    }
    return text + "}";
}

void Forest::add_forest() {
    forests_.emplace_back(config_);
    grades_.emplace_back(config_.time_decay, config_.shingle);
}

void Forest::save(StateWriter& to) const {
    rows_.snapshot(to);
    to.put_count(forests_.size());
    for (std::size_t i = 0; i < forests_.size(); ++i) {
        to.put_bytes(forests_[i].snapshot());
        const auto& grade = grades_[i].state();
        for (const double value : {grade.weight, grade.mean, grade.square, grade.below_weight,
                                   grade.below_square, grade.change_weight, grade.change_mean,
                                   grade.change_square, grade.last, grade.anomaly_score})
            to.put_double(value);
        to.put_count(grade.scores);
        to.put_count(grade.since_anomaly);
    }
}

void Forest::load(StateReader& from) {
    rows_.restore(from);
    forests_.clear();
    grades_.clear();
    for (auto count = from.take_size(); count > 0 && !from.has_failed(); --count) {
        auto restored = anomaly::RandomCutForest::restore(from.take_bytes());
        if (!restored) return from.fail();
        add_forest();
        forests_.back() = std::move(*restored);
        anomaly::AnomalyGrade::State grade;
        for (double* value : {&grade.weight, &grade.mean, &grade.square, &grade.below_weight,
                              &grade.below_square, &grade.change_weight, &grade.change_mean,
                              &grade.change_square, &grade.last, &grade.anomaly_score})
            *value = from.take_double();
        grade.scores = from.take_count();
        grade.since_anomaly = static_cast<std::uint32_t>(from.take_count());
        grades_.back().set_state(grade);
    }
}

}  // namespace tidemill::sql

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
      explanation_(Type::varchar(20480)) {
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
        forests_.emplace_back(config_);
    score_.reset(batch.rows);
    if (has_explanation_) explanation_.reset(batch.rows);
    // Rows that no forest takes have no score.
    std::size_t next = 0;
    batch.selection.for_each([&](std::size_t row) {
        if (next < rows_.size() && rows_.row(next) == row) {
            ++next;
            return;
        }
        score_.set_null(row);
        if (has_explanation_) explanation_.set_null(row);
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
    forests_[key].score_and_update_batch(records_, scores_);
    for (std::size_t i = first; i < last; ++i)
        score_.set_double(rows_.row(order[i]), scores_[i - first]);
}

void Forest::explain(std::uint32_t key, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
        const auto at = rows_.by_key()[i];
        std::ranges::fill(shares_, anomaly::ColumnAttribution());
        score_.set_double(rows_.row(at), forests_[key].score_and_update(rows_.values(at), shares_));
        explanation_.set_text(rows_.row(at), explanation());
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

void Forest::save(StateWriter& to) const {
    rows_.snapshot(to);
    to.put_count(forests_.size());
    for (const auto& forest : forests_)
        to.put_bytes(forest.snapshot());
}

void Forest::load(StateReader& from) {
    rows_.restore(from);
    forests_.clear();
    for (auto count = from.take_size(); count > 0 && !from.has_failed(); --count) {
        auto restored = anomaly::RandomCutForest::restore(from.take_bytes());
        if (!restored) return from.fail();
        forests_.push_back(std::move(*restored));
    }
}

}  // namespace tidemill::sql

#include "operators/anomaly/random_cut_forest.h"

#include <algorithm>

#include "engine/base/check.h"
#include "operators/anomaly/forest_queries.h"
#include "operators/anomaly/forest_state.h"

namespace tidemill::anomaly {

RandomCutForest::RandomCutForest(const ForestConfig& config) {
    const auto valid = config.validate();
    TM_CHECK(valid.has_value(), "{}", valid.error().message);
    impl_ = std::make_unique<Impl>(config);
}
RandomCutForest::RandomCutForest(Restored, std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RandomCutForest::~RandomCutForest() = default;
RandomCutForest::RandomCutForest(RandomCutForest&&) noexcept = default;
RandomCutForest& RandomCutForest::operator=(RandomCutForest&&) noexcept = default;

const ForestConfig& RandomCutForest::config() const { return impl_->config; }
std::uint64_t RandomCutForest::records_seen() const { return impl_->records; }

double RandomCutForest::score(std::span<const double> record) { return impl_->score(record); }
void RandomCutForest::update(std::span<const double> record) {
    impl_->only_learns = true;
    double nothing;
    impl_->process(record, {&nothing, 1});
    impl_->only_learns = false;
}

double RandomCutForest::score_and_update(std::span<const double> record) {
    double score;
    impl_->process(record, {&score, 1});
    return score;
}

double RandomCutForest::score_and_update(std::span<const double> record,
                                         std::span<ColumnAttribution> attribution) {
    TM_CHECK(attribution.size() == impl_->config.columns, "{} shares for {} columns",
             attribution.size(), impl_->config.columns);
    return impl_->process_one(record, attribution);
}

void RandomCutForest::process(std::span<const double> records, std::span<double> scores) {
    impl_->process(records, scores);
}

std::vector<double> RandomCutForest::expected(std::span<const double> record,
                                              std::span<const bool> is_missing) {
    TM_CHECK(record.size() == impl_->config.columns && is_missing.size() == record.size());
    ForestQueries queries(*impl_);
    return queries.set_record(record) ? queries.expected(is_missing) : std::vector<double>();
}

std::vector<double> RandomCutForest::expected_of_last(std::span<const bool> is_missing) {
    TM_CHECK(is_missing.size() == impl_->config.columns);
    if (impl_->last_point.empty()) return {};
    ForestQueries queries(*impl_);
    queries.set_point(impl_->last_point);
    return queries.expected(is_missing);
}

std::vector<Neighbour> RandomCutForest::neighbours(std::span<const double> record, double radius) {
    TM_CHECK(record.size() == impl_->config.columns);
    ForestQueries queries(*impl_);
    return queries.set_record(record) ? queries.neighbours(radius) : std::vector<Neighbour>();
}

}  // namespace tidemill::anomaly

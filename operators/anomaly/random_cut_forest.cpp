#include "operators/anomaly/random_cut_forest.h"

#include <algorithm>

#include "engine/base/check.h"
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

void RandomCutForest::score_and_update_batch(std::span<const double> records,
                                             std::span<double> scores) {
    impl_->process(records, scores);
}

}  // namespace tidemill::anomaly

#include "operators/exec/hot_spots.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::sql {

namespace {

anomaly::HotSpotConfig config_of(const HotSpotsNode& node) {
    return {.columns = static_cast<std::uint32_t>(node.columns.size()),
            .window = node.window,
            .radius = node.radius,
            .minimum = node.minimum,
            .has_identity = node.has_identity};
}

}  // namespace

HotSpots::HotSpots(ExecContext& context, std::string pump, Schema input, HotSpotsNode node,
                   std::uint64_t budget)
    : Operator(context, std::move(pump), "HotSpots", std::move(input)),
      config_(config_of(node)),
      period_(node.period),
      most_windows_(
          std::max<std::uint64_t>(1, budget / anomaly::HotSpotDetector::memory_bytes(config_))),
      rows_(std::move(node.keys), std::move(node.columns)),
      result_(Type::varchar()) {}

void HotSpots::add_window() { windows_.push_back({anomaly::HotSpotDetector(config_), {}}); }

/// As with RANGE ... PRECEDING, a record as old as the period is in the window.
void HotSpots::expire(Window& window, std::int64_t now) {
    if (period_ == 0) return;
    while (!window.times.empty() && window.times.front() < now - period_) {
        window.times.pop_front();
        window.detector.expire();
    }
    if (window.detector.size() == config_.window) window.times.pop_front();
    window.times.push_back(now);
}

void HotSpots::on_batch(const Batch& all) {
    Evaluation evaluation(all, context().clock());
    rows_.find_keys(all, evaluation);
    Batch batch = all;
    batch.selection = settle(evaluation, all.selection, settled_);
    rows_.take(batch);
    while (windows_.size() < std::min(rows_.key_count(), most_windows_))
        add_window();
    result_.reset(batch.rows);
    shown_.clear();
    std::size_t next = 0;
    batch.selection.for_each([&](std::size_t row) {
        const bool is_taken = next < rows_.size() && rows_.row(next) == row;
        const std::size_t key = is_taken ? rows_.key(next) : 0;
        if (!is_taken) {
            // Whose window it would have shown cannot be told with keys.
            if (windows_.size() == 1)
                result_.set_text(row, windows_[0].detector.text());
            else
                result_.set_null(row);
            return shown_.push_back(static_cast<RowIndex>(row));
        }
        const auto values = rows_.values(next++);
        if (key >= windows_.size())
            return reject(batch, row, "StateLimitExceeded",
                          fmt::format("HOTSPOTS keeps {} windows within its budget; there is no "
                                      "room for this row's key.",
                                      most_windows_));
        auto& window = windows_[key];
        expire(window, batch.rowtime->int_at(row));
        window.detector.insert(values);
        result_.set_text(row, window.detector.text());
        shown_.push_back(static_cast<RowIndex>(row));
    });
    Batch out = batch;
    out.selection = Selection::of(shown_);
    out.columns.push_back(&result_);
    out.columns.push_back(&result_);
    emit(out);
}

void HotSpots::save(StateWriter& to) const {
    rows_.snapshot(to);
    to.put_count(windows_.size());
    for (const auto& window : windows_) {
        to.put_bytes(window.detector.snapshot());
        for (const auto time : window.times)
            to.put_int(time);
    }
}

void HotSpots::load(StateReader& from) {
    rows_.restore(from);
    windows_.clear();
    for (auto count = from.take_size(); count > 0 && !from.has_failed(); --count) {
        auto restored = anomaly::HotSpotDetector::restore(from.take_bytes());
        if (!restored || restored->config() != config_) return from.fail();
        windows_.push_back({std::move(*restored), {}});
        auto& window = windows_.back();
        if (period_ == 0) continue;
        for (std::size_t i = 0; i < window.detector.size(); ++i)
            window.times.push_back(from.take_int());
    }
}

}  // namespace tidemill::sql

#pragma once

#include <deque>

#include "operators/anomaly/hot_spots.h"
#include "operators/exec/keyed_models.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

/// HOTSPOTS: takes each row into a sliding window and puts beside it the hot spots of the window,
/// as they are with that row. A row with a null or NaN among its numbers is not in the window and
/// shows the hot spots as they are. `budget`: bytes that all windows may hold; a key that would go
/// beyond it is refused, row by row, to the error stream.
class HotSpots final : public Operator {
 public:
    HotSpots(ExecContext& context, std::string pump, Schema input, HotSpotsNode node,
             std::uint64_t budget);

 protected:
    void on_batch(const Batch& batch) override;
    void save(StateWriter& to) const override;
    void load(StateReader& from) override;

 private:
    struct Window {
        anomaly::HotSpotDetector detector;
        std::deque<std::int64_t> times;  ///< of its records, if the window spans a time
    };

    void add_window();
    void expire(Window& window, std::int64_t now);

    anomaly::HotSpotConfig config_;
    std::int64_t period_;
    std::size_t most_windows_;
    KeyedRows rows_;
    std::vector<Window> windows_;
    std::vector<RowIndex> settled_, shown_;
    Column result_;
};

}  // namespace tidemill::sql

#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"

namespace tidemill::console {

/// A stretch of a series that people labelled as anomalous, inclusive, as "YYYY-MM-DD hh:mm:ss".
struct LabelledWindow {
    std::string begin, end;
};

/// Labels for `series` in the layout of the Numenta Anomaly Benchmark:
/// `<root>/data/<group>/<name>.csv` has its windows under "<group>/<name>.csv" in
/// `<root>/labels/combined_windows.json`. Empty when there are none.
Result<std::vector<LabelledWindow>> find_labelled_windows(const std::string& series);

/// A time and its score, in the order of the series.
struct TimedScore {
    std::string time;
    double score = 0;
};

struct WindowVerdict {
    LabelledWindow window;
    std::string peak_time;
    double peak_score = 0;
    std::size_t rank = 0;  ///< of the peak among all judged scores, 1 is the highest
    bool is_in_top_percent = false;
};

struct Verdict {
    std::vector<WindowVerdict> windows;
    std::size_t judged = 0;  ///< scores after the first 15 % of the series
    std::size_t top_percent = 0;
};

/// Ranks each window's highest score among all scores after the first 15 % of the series.
Verdict judge(const std::vector<TimedScore>& scores, const std::vector<LabelledWindow>& windows);

}  // namespace tidemill::console

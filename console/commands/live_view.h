#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "console/commands/redraw.h"

namespace tidemill::console {

/// One scored row as the demo shows it.
struct ScoredRow {
    std::string time;    ///< as it came in
    std::string values;  ///< "cpu_user=3.2 running=4"
    double score = 0;
    bool is_learning = false;  ///< the forest is still filling its samples
};

struct LiveFigures {
    std::uint64_t rows_in = 0, rows_scored = 0;
    double rows_per_second = 0;
    double lag_ms = 0;          ///< from putting a record to seeing its score
    double threshold = 0;       ///< scores from here on are marked
    std::string input, broker;  ///< what is read, where it runs
};

/// Draws the demo: in place on a terminal, as plain lines elsewhere.
class LiveView {
 public:
    LiveView(bool in_place, bool colour);

    void add(const ScoredRow& row);
    /// Marks `row` as an anomaly: kept in the list below the line of scores.
    void mark(const ScoredRow& row);
    /// The rise marked last goes on to `row`: the list shows the higher of the two.
    void follow(const ScoredRow& row);
    void draw(const LiveFigures& figures);
    /// Leaves the cursor below what was drawn.
    void finish();

 private:
    std::string render(const LiveFigures& figures) const;
    std::string red(const std::string& text) const;

    bool in_place_, colour_;
    std::vector<double> scores_;
    std::deque<ScoredRow> anomalies_;
    ScoredRow last_;
    Redraw screen_;
};

}  // namespace tidemill::console

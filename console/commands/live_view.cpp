#include "console/commands/live_view.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "console/commands/output.h"
#include "console/repl/sparkline.h"

namespace tidemill::console {
namespace {
constexpr std::size_t kSparkWidth = 72, kAnomaliesShown = 8, kScoresKept = 512;
}

LiveView::LiveView(bool in_place, bool colour) : in_place_(in_place), colour_(colour) {}

std::string LiveView::red(const std::string& text) const {
    return colour_ ? "\x1b[1;31m" + text + "\x1b[0m" : text;
}

void LiveView::add(const ScoredRow& row) {
    last_ = row;
    scores_.push_back(row.is_learning ? 0.0 : row.score);
    if (scores_.size() > kScoresKept)
        scores_.erase(scores_.begin(), scores_.end() - kScoresKept / 2);
}

void LiveView::mark(const ScoredRow& row) {
    anomalies_.push_back(row);
    if (anomalies_.size() > kAnomaliesShown) anomalies_.pop_front();
    if (!in_place_) {
        std::printf("anomaly  score %.2f  %s  %s\n", row.score, row.time.c_str(),
                    row.values.c_str());
        std::fflush(stdout);
    }
}

void LiveView::follow(const ScoredRow& row) {
    if (!anomalies_.empty() && row.score > anomalies_.back().score) anomalies_.back() = row;
}

std::string LiveView::render(const LiveFigures& figures) const {
    std::string text;
    text += fmt::format("Tidemill demo   {}   broker {}\n\n", figures.input, figures.broker);
    text += fmt::format("  rows in {:<10} scored {:<10} rate {:<12} lag {:.1f} ms\n",
                        short_count(static_cast<double>(figures.rows_in)),
                        short_count(static_cast<double>(figures.rows_scored)),
                        short_count(figures.rows_per_second) + " /s", figures.lag_ms);
    if (last_.is_learning) {
        text += "  score   learning: the forest fills its samples first\n";
    } else {
        const auto score = fmt::format("{:.2f}", last_.score);
        const bool is_high = figures.threshold > 0 && last_.score >= figures.threshold;
        text += fmt::format("  score   {}   marked from {:.2f}\n", is_high ? red(score) : score,
                            figures.threshold);
    }
    text += "  " + sparkline(scores_, kSparkWidth) + "\n";
    text += fmt::format("  now     {}  {}\n\n", last_.time, last_.values);
    text += "  latest anomalies\n";
    if (anomalies_.empty()) text += "    none yet\n";
    for (auto it = anomalies_.rbegin(); it != anomalies_.rend(); ++it)
        text += fmt::format("    {}  {}  {}\n", red(fmt::format("{:5.2f}", it->score)), it->time,
                            it->values);
    text += "\n  Ctrl-C ends\n";
    return text;
}

void LiveView::draw(const LiveFigures& figures) {
    if (!in_place_) return;
    screen_.show(render(figures));
}

void LiveView::finish() {
    screen_.keep();
    std::fflush(stdout);
}

}  // namespace tidemill::console

#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace tidemill::console {

/// A line below the rows of a live query that says how many there were and how fast they come. It
/// is taken away before rows are printed and drawn again after them, twice a second at most.
class RateLine {
 public:
    using Clock = std::chrono::steady_clock;

    /// `columns`: width of the terminal, 0 when unknown. Does nothing unless `is_on`.
    RateLine(std::ostream& out, bool is_on, std::size_t columns, Clock::time_point now);

    void erase();
    void show(std::uint64_t rows, Clock::time_point now);

    /// "1,234 rows  56 rows/s  00:12  Ctrl-C stops"
    static std::string text(std::uint64_t rows, double rate, std::chrono::seconds since);

 private:
    std::ostream& out_;
    bool is_on_, is_shown_ = false;
    std::size_t columns_;
    Clock::time_point began_, drawn_, counted_at_;
    std::uint64_t counted_ = 0;
    double rate_ = 0;
};

/// 1234567 -> "1,234,567"
std::string with_commas(std::uint64_t number);

}  // namespace tidemill::console

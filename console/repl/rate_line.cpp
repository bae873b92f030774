#include "console/repl/rate_line.h"

#include <ostream>

#include <fmt/format.h>

namespace tidemill::console {
namespace {

constexpr std::chrono::milliseconds kDrawEvery{500}, kCountEvery{1000};

}  // namespace

std::string with_commas(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3;) {
        at -= 3;
        text.insert(at, 1, ',');
    }
    return text;
}

RateLine::RateLine(std::ostream& out, bool is_on, std::size_t columns, Clock::time_point now)
    : out_(out), is_on_(is_on), columns_(columns), began_(now), drawn_(now), counted_at_(now) {}

std::string RateLine::text(std::uint64_t rows, double rate, std::chrono::seconds since) {
    const auto minutes = since.count() / 60;
    return fmt::format("{} {}  {} rows/s  {:02}:{:02}  Ctrl-C stops", with_commas(rows),
                       rows == 1 ? "row" : "rows",
                       with_commas(static_cast<std::uint64_t>(rate + 0.5)), minutes,
                       since.count() % 60);
}

void RateLine::erase() {
    if (!is_shown_) return;
    out_ << "\r\x1b[2K";
    is_shown_ = false;
}

void RateLine::show(std::uint64_t rows, Clock::time_point now) {
    if (!is_on_ || (is_shown_ && now - drawn_ < kDrawEvery)) return;
    if (now - counted_at_ >= kCountEvery) {
        const std::chrono::duration<double> passed = now - counted_at_;
        rate_ = static_cast<double>(rows - counted_) / passed.count();
        counted_ = rows;
        counted_at_ = now;
    }
    erase();
    std::string line =
        text(rows, rate_, std::chrono::duration_cast<std::chrono::seconds>(now - began_));
    if (columns_ != 0 && line.size() >= columns_) line.resize(columns_ - 1);
    out_ << line << std::flush;
    drawn_ = now;
    is_shown_ = true;
}

}  // namespace tidemill::console

#include "console/repl/explanation.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "console/repl/rate_line.h"
#include "console/repl/text_table.h"
#include "operators/sql/printer.h"

namespace tidemill::console {
namespace {

constexpr std::size_t kShortestPlan = 24;

using Numbers = std::array<std::string, 6>;
const Numbers kHeadings = {"rows in", "rows out", "rows/s", "refused", "time", "state"};

struct Line {
    std::string text;
    Numbers numbers;
};

std::string time_text(std::chrono::nanoseconds time, std::uint64_t rows) {
    const double nanoseconds = static_cast<double>(time.count());
    const double each = rows == 0 ? 0 : nanoseconds / static_cast<double>(rows);
    const std::string total = nanoseconds < 1e6   ? fmt::format("{:.0f} us", nanoseconds / 1e3)
                              : nanoseconds < 1e9 ? fmt::format("{:.0f} ms", nanoseconds / 1e6)
                                                  : fmt::format("{:.1f} s", nanoseconds / 1e9);
    return rows == 0 ? total : fmt::format("{}, {:.0f} ns/row", total, each);
}

std::string size_text(std::uint64_t bytes) {
    const auto size = static_cast<double>(bytes);
    if (bytes < 1000) return fmt::format("{} B", bytes);
    if (bytes < 1'000'000) return fmt::format("{:.1f} kB", size / 1e3);
    if (bytes < 1'000'000'000) return fmt::format("{:.1f} MB", size / 1e6);
    return fmt::format("{:.1f} GB", size / 1e9);
}

class Drawing {
 public:
    Drawing(const Explanation& now, const Explanation* before) : now_(now), before_(before) {}

    std::string run(std::size_t columns) {
        std::string text;
        for (const auto& pump : now_.pumps) {
            lines_.clear();
            add_pump(pump);
            if (!text.empty()) text += "\n";
            text += fmt::format("Pump {}{}\n", sql::print_name(pump.name),
                                pump.is_started ? "" : ", stopped");
            text += draw(columns);
        }
        return text.empty() ? "There is no pump.\n" : text;
    }

 private:
    void add_pump(const sql::PumpInfo& pump) {
        std::vector<std::size_t> operators;  // of this pump, from its end to its sources
        for (std::size_t i = 0; i < now_.operators.size(); ++i)
            if (now_.operators[i].pump == pump.name) operators.push_back(i);
        auto next = operators.begin();
        // Insert is no step of the plan: it is what every pump ends in.
        Line insert{"Insert into " + sql::print_name(pump.target), {}};
        if (next != operators.end()) fill(insert, *next++);
        lines_.push_back(std::move(insert));
        std::size_t at = 0;
        while (at < pump.plan.size()) {
            const auto end = std::min(pump.plan.find('\n', at), pump.plan.size());
            const std::string step = pump.plan.substr(at, end - at);
            at = end + 1;
            Line line{"  " + step, {}};
            const auto begin = std::min(step.find_first_not_of(' '), step.size());
            if (next != operators.end() && now_.operators[*next].step == step.substr(begin))
                fill(line, *next++);
            lines_.push_back(std::move(line));
        }
        for (; next != operators.end(); ++next) {
            Line line{"  + " + now_.operators[*next].name, {}};
            fill(line, *next);
            lines_.push_back(std::move(line));
        }
    }

    void fill(Line& line, std::size_t index) const {
        const auto& op = now_.operators[index];
        double rows = static_cast<double>(op.rows_in);
        double seconds = now_.elapsed.count();
        if (before_ != nullptr && index < before_->operators.size()) {
            rows -= static_cast<double>(before_->operators[index].rows_in);
            seconds -= before_->elapsed.count();
        }
        const double rate = seconds > 0 ? std::max(0.0, rows / seconds) : 0;
        line.numbers = {with_commas(op.rows_in),
                        with_commas(op.rows_out),
                        with_commas(static_cast<std::uint64_t>(rate + 0.5)),
                        op.rows_rejected == 0 ? "" : with_commas(op.rows_rejected),
                        time_text(op.time, op.rows_in),
                        size_text(op.state_bytes)};
    }

    std::string draw(std::size_t columns) const {
        std::array<std::size_t, kHeadings.size()> widths{};
        std::size_t numbers = 0, longest = 0;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            for (const auto& line : lines_)
                widths[i] = std::max(widths[i], line.numbers[i].size());
            if (widths[i] == 0) continue;
            widths[i] = std::max(widths[i], kHeadings[i].size());
            numbers += widths[i] + 2;
        }
        for (const auto& line : lines_)
            longest = std::max(longest, display_width(line.text));
        if (columns != 0 && longest + numbers >= columns)
            longest = std::max(std::min(longest, kShortestPlan),
                               columns > numbers + 1 ? columns - numbers - 1 : 0);
        std::string text;
        const auto add = [&](const std::string& plan, const Numbers& cells) {
            std::string line = cut(plan, longest);
            if (numbers != 0) line += std::string(longest - display_width(line), ' ');
            for (std::size_t i = 0; i < widths.size(); ++i)
                if (widths[i] != 0)
                    line += std::string(2 + widths[i] - cells[i].size(), ' ') + cells[i];
            line.erase(line.find_last_not_of(' ') + 1);
            text += line + "\n";
        };
        if (numbers != 0) add("", kHeadings);
        for (const auto& line : lines_)
            add(line.text, line.numbers);
        return text;
    }

    static std::string cut(const std::string& text, std::size_t width) {
        if (display_width(text) <= width) return text;
        std::size_t end = 0, used = 0;
        while (end < text.size()) {
            const bool starts = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
            if (starts && used + 1 == width) break;
            used += starts ? 1 : 0;
            ++end;
        }
        return text.substr(0, end) + "…";
    }

    const Explanation& now_;
    const Explanation* before_;
    std::vector<Line> lines_;
};

}  // namespace

std::string draw_explanation(const Explanation& now, const Explanation* before,
                             std::size_t columns) {
    return Drawing(now, before).run(columns);
}

}  // namespace tidemill::console

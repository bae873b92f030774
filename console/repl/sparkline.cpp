#include "console/repl/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tidemill::console {

std::string sparkline(std::span<const double> values, std::size_t width) {
    static constexpr std::array kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    if (values.size() > width) values = values.last(width);
    double least = HUGE_VAL, largest = -HUGE_VAL;
    for (const double value : values) {
        if (!std::isfinite(value)) continue;
        least = std::min(least, value);
        largest = std::max(largest, value);
    }
    std::string line;
    for (const double value : values) {
        if (!std::isfinite(value)) {
            line += ' ';
            continue;
        }
        const double share = largest > least ? (value - least) / (largest - least) : 0.0;
        line += kBlocks[static_cast<std::size_t>(std::lround(share * 7))];
    }
    return line;
}

}  // namespace tidemill::console

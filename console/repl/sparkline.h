#pragma once

#include <span>
#include <string>

namespace tidemill::console {

/// The last `width` values as a line of block characters, scaled between the smallest and the
/// largest of them.
std::string sparkline(std::span<const double> values, std::size_t width);

}  // namespace tidemill::console
